#include "stele/tracing.h"

#include <utility>

#include "sdk/workflow/run_context.h"
#include "stele/activity.h"

namespace stele {

namespace {

using Kind = InterceptedCall::Kind;

// Where the official SDKs put the context of a span.
constexpr char kHeader[] = "_tracer-data";

void write_context(const SpanContext& context, Headers& headers) {
    if (!context.empty()) headers[kHeader] = encode_value(context);
}

/// What others have put there need not be for us.
SpanContext read_context(const Headers& headers) {
    const auto found = headers.find(kHeader);
    if (found == headers.end()) return {};
    try {
        return decode_value<SpanContext>(found->second);
    } catch (const DataConversionError&) {
        return {};
    }
}

const char* name_of_client_call(Kind kind) {
    switch (kind) {
        case Kind::kWorkflow: return "StartWorkflow";
        case Kind::kSignal: return "SignalWorkflow";
        case Kind::kQuery: return "QueryWorkflow";
        case Kind::kUpdate: return "UpdateWorkflow";
        default: return "Call";
    }
}

const char* name_of_workflow_call(Kind kind) {
    switch (kind) {
        case Kind::kWorkflow: return "StartChildWorkflow";
        case Kind::kSignal: return "SignalExternalWorkflow";
        case Kind::kActivity: return "StartActivity";
        case Kind::kLocalActivity: return "StartLocalActivity";
        default: return "Call";
    }
}

const char* name_of_handling(Kind kind) {
    switch (kind) {
        case Kind::kWorkflow: return "RunWorkflow";
        case Kind::kSignal: return "HandleSignal";
        case Kind::kUpdate: return "HandleUpdate";
        default: return "Handle";
    }
}

class TracingInterceptor final : public Interceptor {
public:
    explicit TracingInterceptor(std::shared_ptr<Tracer> tracer) : tracer_(std::move(tracer)) {}

    void client_calls(const InterceptedCall& call, Headers& headers) const override {
        mark(name_of_client_call(call.kind), call, tracer_->current(),
             {{"temporalWorkflowID", call.workflow_id}}, headers);
    }

    // All that a run calls belongs to what has started it: the header of the start is the same for
    // whoever goes on with the run, on whatever machine.
    void workflow_calls(const InterceptedCall& call, Headers& headers) const override {
        if (wf::is_replaying()) return;
        const SpanContext parent = read_context(wf::info().headers);
        const bool continues =
            call.kind == Kind::kWorkflow && call.workflow_id == wf::info().workflow_id;
        if (continues)
            write_context(parent, headers);
        else
            mark(name_of_workflow_call(call.kind), call, parent, run_attributes(), headers);
    }

    void workflow_is_called(const InterceptedCall& call, const Headers& headers) const override {
        if (wf::is_replaying()) return;
        SpanContext parent = read_context(headers);
        if (parent.empty()) parent = read_context(wf::info().headers);
        Headers unused;
        mark(name_of_handling(call.kind), call, parent, run_attributes(), unused);
    }

    std::optional<Payload> around_activity(
        const InterceptedCall& call, const Headers& headers,
        const std::function<std::optional<Payload>()>& next) const override {
        const activity::Info& info = activity::info();
        const auto span = tracer_->start_span({"RunActivity:" + call.name,
                                               read_context(headers),
                                               {{"temporalWorkflowID", info.workflow_id},
                                                {"temporalRunID", info.run_id},
                                                {"temporalActivityID", info.activity_id}}});
        try {
            return next();
        } catch (const std::exception& error) {
            span->set_error(error);
            throw;
        }
    }

private:
    using Attributes = std::map<std::string, std::string>;

    static Attributes run_attributes() {
        return {{"temporalWorkflowID", wf::info().workflow_id},
                {"temporalRunID", wf::info().run_id}};
    }

    /// A span for the moment, whose context goes on in the headers.
    void mark(const char* what, const InterceptedCall& call, const SpanContext& parent,
              const Attributes& attributes, Headers& headers) const {
        const auto span =
            tracer_->start_span({std::string(what) + ":" + call.name, parent, attributes});
        write_context(span->context(), headers);
    }

    std::shared_ptr<Tracer> tracer_;
};

}  // namespace

std::shared_ptr<const Interceptor> make_tracing_interceptor(std::shared_ptr<Tracer> tracer) {
    if (!tracer) throw IllegalCallError("a tracing interceptor needs a tracer");
    return std::make_shared<TracingInterceptor>(std::move(tracer));
}

}  // namespace stele
