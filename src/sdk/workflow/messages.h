#pragma once

#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sdk/core/activation.h"
#include "stele/detail/definition.h"
#include "stele/messages.h"

namespace stele::wf::detail {

class RunContext;

/// What a coroutine works for.
struct WorkContext {
    UpdateInfo update;
};

/// The messages of one run on their way to its code: which handler gets them, what waits for a handler
/// that has not been set yet, and the handlers that are at work.
///
/// Belongs to one run, which owns it; not thread safe.
class Messages {
public:
    Messages(RunContext& run, std::shared_ptr<const Definition> definition)
        : run_(run), definition_(std::move(definition)) {}

    void deliver_signal(const std::string& name, Payloads input);
    void deliver_update(core::UpdateJob job);
    /// Updates that nothing has claimed by the end of the activation that brought them are rejected.
    void reject_unclaimed();

    Payload answer(const std::string& query, const Payloads& input);

    void set(std::string_view name, SignalHandler handler);
    void set(std::string_view name, QueryHandler handler);
    void set(std::string_view name, UpdateHandler handler);
    void set_dynamic(SignalHandler handler);
    void set_dynamic(QueryHandler handler);
    void set_dynamic(UpdateHandler handler);

    bool all_finished() const { return at_work_.empty() && unclaimed_updates_.empty(); }
    /// Takes out the handlers that have ended; gives the error of the first one that failed.
    std::exception_ptr finish();
    /// Names the handlers that are at work although their run ends, and that it matters for.
    std::vector<std::string> unfinished() const;
    /// Destroys the handlers that are at work.
    void clear() { at_work_.clear(); }

    /// The answer to __temporal_workflow_metadata.
    Payload metadata() const;

private:
    struct AtWork {
        std::string name;
        Unfinished unfinished;
        task<void> work;
        /// Kept alive: the work may refer to it.
        std::shared_ptr<const void> handler;
    };
    struct Update {
        core::UpdateJob job;
        std::shared_ptr<const UpdateHandler> handler;
    };

    template <class H>
    std::shared_ptr<const H> find(HandlersOf<H> Handlers::* kind, const std::string& name) const;
    void begin(AtWork work, std::shared_ptr<const WorkContext> context);
    void handle(const std::shared_ptr<const SignalHandler>& handler, const std::string& name,
                const Payloads& input);
    void redeliver_signals();
    void redeliver_updates();
    task<void> carry_out(std::shared_ptr<const Update> update);
    std::optional<task<std::optional<Payload>>> accept(const Update& update);
    void reject(const std::string& update_id, const std::exception_ptr& reason);

    RunContext& run_;
    std::shared_ptr<const Definition> definition_;
    Handlers set_;
    std::vector<std::pair<std::string, Payloads>> unclaimed_signals_;
    std::vector<core::UpdateJob> unclaimed_updates_;
    std::list<AtWork> at_work_;
};

}  // namespace stele::wf::detail
