// The C++ side of the crossings: the same worker and the same client in every language, so that each
// of them can meet each of the others.
//
//     crossing worker --task-queue NAME
//     crossing call --task-queue NAME --own-queue NAME --id ID --parcel JSON
//
// All take --address HOST:PORT. `worker` serves until it gets SIGTERM. `call` works with the workflows
// behind --task-queue, lets one of its own language behind --own-queue do the same, and prints as
// JSON all that it has seen. What that must be is written down once, in crossing.py.

#include "program.h"

#include <stele/stele.h>

#include <iostream>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace wf = stele::wf;
using program::flag;
using program::Flags;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr char kLanguage[] = "C++";

struct Parcel {
    std::string text;
    std::int64_t number = 0;
    double ratio = 0;
    std::vector<std::string> tags;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Parcel, text, number, ratio, tags)

const auto kKeyword = stele::search_attribute_key::keyword("CrossKeyword");
const auto kInt = stele::search_attribute_key::integer("CrossInt");
const auto kList = stele::search_attribute_key::keyword_list("CrossList");

json attributes_of(const stele::PayloadFields& fields) {
    return {{"keyword", kKeyword.in(fields).value_or("")},
            {"int", kInt.in(fields).value_or(0)},
            {"list", kList.in(fields).value_or(std::vector<std::string>())}};
}

struct Outcome {
    std::vector<Parcel> parcels;
    json seen;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Outcome, parcels, seen)

/// Takes parcels until it is told to finish.
class Crossing {
public:
    wf::task<Outcome> run(Parcel first, stele::Bytes blob) {
        parcels_.insert(parcels_.begin(), first);
        blob_ = blob;
        const json seen = attributes_of(wf::info().search_attributes);
        const std::int64_t next = seen.at("int").get<std::int64_t>() + 1;
        wf::upsert_search_attributes({kInt.of(next)});
        co_await wf::until([this] { return finished_; });
        co_return Outcome{parcels_, seen};
    }
    void put(Parcel parcel) { parcels_.push_back(parcel); }
    void finish() { finished_ = true; }
    std::vector<Parcel> parcels() const { return parcels_; }
    stele::Bytes blob() const { return blob_; }
    Parcel stamp(Parcel parcel) {
        parcel.text += " stamped by " + std::string(kLanguage);
        return parcel;
    }
    void check(Parcel parcel) const {
        if (parcel.number < 0) throw stele::ApplicationError("no number below zero");
    }

private:
    std::vector<Parcel> parcels_;
    stele::Bytes blob_;
    bool finished_ = false;
};

wf::task<void> crossing_fails(Parcel parcel) {
    const stele::ApplicationError inner("inner from " + std::string(kLanguage),
                                        {.type = "InnerError"});
    throw stele::ApplicationError("outer from " + std::string(kLanguage),
                                  {.type = "OuterError",
                                   .non_retryable = true,
                                   .details = stele::details(parcel),
                                   .cause = std::make_shared<stele::ApplicationError>(inner)});
    co_return;
}

/// The application errors of a chain, the outermost first.
json chain_of(const stele::FailureError& error) {
    json chain = json::array();
    const auto* application = dynamic_cast<const stele::ApplicationError*>(&error);
    if (application != nullptr) {
        json details = json::array();
        for (const stele::Payload& payload : application->detail_payloads())
            details.push_back(stele::decode_value<json>(payload));
        chain.push_back({{"message", application->message()},
                         {"type", application->type()},
                         {"non_retryable", application->non_retryable()},
                         {"details", details}});
    }
    if (error.cause() != nullptr)
        for (json& below : chain_of(*error.cause())) chain.push_back(std::move(below));
    return chain;
}

json chain_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const stele::FailureError& error) {
        return chain_of(error);
    }
}

/// Does as a workflow what `call` does as a client.
wf::task<json> cross_from(std::string task_queue, std::string id, Parcel parcel,
                          stele::Bytes blob) {
    const std::vector<std::pair<std::string, stele::Payload>> attributes = {
        kKeyword.of("a child of " + std::string(kLanguage)), kInt.of(1), kList.of({"a", "b"})};
    const stele::ChildOptions options{
        .id = id, .task_queue = task_queue, .search_attributes = attributes};
    auto start = wf::start_child_by_name<json>("crossing", options, parcel, blob);
    auto child = co_await start;
    co_await child.signal("put", parcel);
    co_await child.signal("finish");
    const json result = co_await child.result();

    const stele::ChildOptions failing{.task_queue = task_queue};
    auto failed = wf::child_by_name<json>("crossing_fails", failing, parcel);
    auto outcome = co_await wf::capture(std::move(failed));
    const json chain = outcome.ok() ? json::array() : chain_of(outcome.exception());
    const json both = {{"result", result}, {"failure", chain}};
    co_return both;
}

void serve(const stele::Client& client, const Flags& flags) {
    stele::Worker worker(client, flag(flags, "--task-queue"));
    wf::register_type<Crossing>(worker, "crossing")
        .run<&Crossing::run>()
        .signal<&Crossing::put>("put")
        .signal<&Crossing::finish>("finish")
        .query<&Crossing::parcels>("parcels")
        .query<&Crossing::blob>("blob")
        .update<&Crossing::stamp, &Crossing::check>({.name = "stamp"});
    worker.register_workflow<crossing_fails>("crossing_fails")
        .register_workflow<cross_from>("cross_from");
    program::serve(worker);
}

json call(stele::Client client, const Flags& flags) {
    const auto parcel = json::parse(flag(flags, "--parcel")).get<Parcel>();
    stele::Bytes blob(256);
    std::iota(blob.begin(), blob.end(), static_cast<std::uint8_t>(0));
    const std::string& queue = flag(flags, "--task-queue");
    const std::string& id = flag(flags, "--id");
    json seen;

    auto handle =
        client.start<Outcome>("crossing",
                              {.id = id,
                               .task_queue = queue,
                               .search_attributes = {kKeyword.of("from " + std::string(kLanguage)),
                                                     kInt.of(1), kList.of({"a", "b"})}},
                              parcel, blob);
    handle.signal("put", parcel);
    seen["parcels"] = handle.query<std::vector<Parcel>>("parcels");
    seen["blob"] = handle.query<stele::Bytes>("blob");
    seen["stamped"] = handle.execute_update<Parcel>("stamp", parcel);
    try {
        Parcel below = parcel;
        below.number = -1;
        (void)handle.execute_update<Parcel>("stamp", below);
        seen["rejection"] = "";
    } catch (const stele::UpdateFailedError& error) {
        seen["rejection"] = error.cause().root().message();
    }
    seen["attributes"] = attributes_of(handle.describe().search_attributes);
    handle.signal("finish");
    seen["result"] = handle.result({.timeout = 30s});

    try {
        (void)client
            .start<json>("crossing_fails", {.id = id + "-fails", .task_queue = queue}, parcel)
            .result({.timeout = 30s});
        seen["failure"] = json::array();
    } catch (const stele::WorkflowFailedError& error) {
        seen["failure"] = chain_of(error.cause());
    }
    const auto parent = client.start<json>(
        "cross_from", {.id = id + "-from", .task_queue = flag(flags, "--own-queue")}, queue,
        id + "-child", parcel, blob);
    seen["from_workflow"] = parent.result({.timeout = 30s});
    return seen;
}

void run(const std::string& command, const Flags& flags) {
    // Messages of failures travel as payloads, as where everything is encrypted.
    const auto client =
        stele::Client::connect({.address = flag(flags, "--address"),
                                .data_converter = {.encode_failure_attributes = true}});
    if (command == "worker")
        serve(client, flags);
    else if (command == "call")
        std::cout << call(client, flags).dump() << std::endl;
    else
        throw std::invalid_argument("unknown command " + command);
}

}  // namespace

int main(int argc, char** argv) {
    return program::main(argc, argv, "crossing", "worker|call", run);
}
