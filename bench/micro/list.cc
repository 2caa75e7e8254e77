#include "visibility/attribute_names.h"
#include "visibility/index.h"

#include <benchmark/benchmark.h>

#include <cstdlib>

// What the first page of a list takes beside a hundred thousand runs, a tenth of them open, and what it takes
// to put a run there.
namespace stele::visibility {
namespace {

namespace enums = temporal::api::enums::v1;

constexpr std::int64_t kRuns = 100'000;
constexpr std::int64_t kPage = 100;
constexpr char kSpace[] = "space-id";

void must(const absl::Status& status) {
    if (!status.ok()) std::abort();
}

class ManyRuns {
public:
    ManyRuns() : index_(Index::open(std::nullopt, "store").value()) {
        must(index_->begin());
        for (std::int64_t number = 1; number <= kRuns; ++number) put(number);
        commit(kRuns);
    }

    Index& index() { return *index_; }
    const history::SearchAttributeSchema& schema() const { return schema_; }

    void put(std::int64_t number) {
        storage::InfoRow info;
        info.set_namespace_id(kSpace);
        info.set_workflow_id("workflow-" + std::to_string(number));
        info.set_run_id("run-" + std::to_string(number));
        info.set_workflow_type(number % 100 == 0 ? "rare" : "usual");
        info.set_task_queue("queue");
        info.mutable_start_time()->set_seconds(number);
        storage::HeaderRow header;
        *header.mutable_execution_time() = info.start_time();
        header.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
        if (number % 10 != 0) {
            header.set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
            header.mutable_close_time()->set_seconds(number + 10);
        }
        must(index_->put({0, RunKey(number)}, info, header, {}, &schema_));
    }
    void commit(std::int64_t number) { must(index_->commit({{0, number}}, true)); }

private:
    history::SearchAttributeSchema schema_{"space", {}};
    std::unique_ptr<Index> index_;
};

ManyRuns& many_runs() {
    static ManyRuns runs;
    return runs;
}

void first_page(benchmark::State& state, const char* query) {
    ManyRuns& runs = many_runs();
    for (auto _ : state) {
        const absl::StatusOr<ListPage> page = runs.index().list(
            {kSpace, parse_run_filter(query, runs.schema()).value(), kPage, std::nullopt});
        must(page.status());
        benchmark::DoNotOptimize(page->runs.size());
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(first_page, of_all, "");
BENCHMARK_CAPTURE(first_page, of_closed, "ExecutionStatus = 'Completed'");
BENCHMARK_CAPTURE(first_page, of_a_rare_type, "WorkflowType = 'rare'");
BENCHMARK_CAPTURE(first_page, of_one_id, "WorkflowId = 'workflow-77777'");

void put_runs(benchmark::State& state) {
    ManyRuns& runs = many_runs();
    std::int64_t number = kRuns;
    for (auto _ : state) {
        must(runs.index().begin());
        for (std::int64_t i = 0; i < state.range(0); ++i) runs.put(++number);
        runs.commit(number);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(put_runs)->ArgName("in one transaction")->Arg(1)->Arg(100);

}  // namespace
}  // namespace stele::visibility
