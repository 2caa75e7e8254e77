#pragma once

#include <exception>
#include <map>
#include <memory>
#include <string>

#include "stele/interceptor.h"

// Traces of what an application does, from the call of a client through workflows into activities,
// across processes and languages. A Tracer stands for the tracing that an application has:
//
//     auto tracing = stele::make_tracing_interceptor(std::make_shared<MyTracer>());
//     auto client = stele::Client::connect({.interceptors = {tracing}});
//
// Spans have the names that the official SDKs give them, and their contexts travel in the same header,
// so that one trace goes through workers in several languages.
namespace stele {

/// What identifies a span to its children elsewhere, such as {"traceparent", "00-..."}.
using SpanContext = std::map<std::string, std::string>;

/// Something that takes time; it ends when it is destroyed.
class Span {
public:
    virtual ~Span() = default;
    virtual SpanContext context() const = 0;
    /// What the span stands for has failed. Called once at most, before the end.
    virtual void set_error(const std::exception& error) = 0;
};

struct SpanOptions {
    /// What happens, and to what, such as "RunActivity:charge".
    std::string name = {};
    /// Empty: a new trace begins.
    SpanContext parent = {};
    /// temporalWorkflowID, temporalRunID and temporalActivityID, as far as they are known.
    std::map<std::string, std::string> attributes = {};
};

/// Implemented by the application. Called from any thread, several at a time; must not block for long
/// and must not throw.
class Tracer {
public:
    virtual ~Tracer() = default;
    /// Never null.
    virtual std::unique_ptr<Span> start_span(const SpanOptions& options) = 0;
    /// The context of the span that this thread works for, which calls of a client then belong to.
    /// Empty: none.
    virtual SpanContext current() const { return {}; }
};

/// Opens spans for
///
///     StartWorkflow, SignalWorkflow, QueryWorkflow, UpdateWorkflow      when a client calls,
///     RunWorkflow, HandleSignal, HandleUpdate                           when a workflow is called,
///     StartActivity, StartLocalActivity, StartChildWorkflow, SignalExternalWorkflow
///                                                                       when a workflow calls,
///     RunActivity                                                       around an activity,
///
/// each followed by a colon and the name of what is called. Only RunActivity has a length: what
/// workflows do may be spread over months and machines, so that its spans mark moments. Nothing is
/// traced while the past is repeated. Throws IllegalCallError without a tracer.
std::shared_ptr<const Interceptor> make_tracing_interceptor(std::shared_ptr<Tracer> tracer);

}  // namespace stele
