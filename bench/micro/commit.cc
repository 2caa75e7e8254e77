#include "env/posix/posix_env.h"
#include "store/committer.h"
#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <future>

// What a durable batch costs: synced writes one after the other, as the store alone does them,
// against the group commit with a number of batches in flight. The size of a batch is that of a
// usual transition. STELE_BENCH_DIR says where the directories go; it must be on a real disk.
namespace stele::store {
namespace {

constexpr int kRowsPerBatch = 4;
constexpr std::size_t kRowBytes = 200;

class Directory {
public:
    Directory() {
        const char* chosen = std::getenv("STELE_BENCH_DIR");
        const std::filesystem::path parent =
            chosen != nullptr ? std::filesystem::path(chosen) : std::filesystem::current_path();
        std::string name = (parent / "stele-bench-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

WriteBatch make_batch(std::int64_t number) {
    WriteBatch batch;
    for (int row = 0; row < kRowsPerBatch; ++row) {
        batch.put("key/" + std::to_string(number * kRowsPerBatch + row),
                  std::string(kRowBytes, 'v'));
    }
    return batch;
}

void synced_writes_of_the_store(benchmark::State& state) {
    const Directory directory;
    const auto store = open_rocksdb_store(directory.path()).value();
    std::int64_t number = 0;
    for (auto _ : state) {
        if (!store->write(make_batch(++number), Sync::kYes).ok()) state.SkipWithError("write");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(synced_writes_of_the_store)->UseRealTime();

/// Keeps `in_flight` batches waiting for their durability, all of one shard, until `total` are.
class Load {
public:
    Load(env::Executor& shard, Committer& committer, std::int64_t total)
        : shard_(shard), committer_(committer), total_(total) {}

    void run(std::int64_t in_flight) {
        shard_.post([this, in_flight] {
            for (std::int64_t i = 0; i < in_flight; ++i) submit();
        });
        done_.get_future().wait();
    }

private:
    void submit() {
        if (submitted_ == total_) return;
        const Position position = committer_.submit(make_batch(++submitted_), Urgency::kSynced);
        committer_.when_durable(position, shard_, [this] {
            if (++durable_ == total_) {
                done_.set_value();
            } else {
                submit();
            }
        });
    }

    env::Executor& shard_;
    Committer& committer_;
    const std::int64_t total_;
    std::int64_t submitted_ = 0;
    std::int64_t durable_ = 0;
    std::promise<void> done_;
};

void group_commit(benchmark::State& state, Store& store) {
    const auto env = env::make_posix_env();
    const auto committer = make_committer(*env, store, [&](const absl::Status& status) {
        state.SkipWithError(message_of(status).c_str());
    });
    const auto shard = env->make_executor("shard");
    constexpr std::int64_t kBatchesPerRound = 4096;
    for (auto _ : state) Load(*shard, *committer, kBatchesPerRound).run(state.range(0));
    state.SetItemsProcessed(state.iterations() * kBatchesPerRound);
}

void group_commit_on_rocksdb(benchmark::State& state) {
    const Directory directory;
    const auto store = open_rocksdb_store(directory.path()).value();
    group_commit(state, *store);
}
BENCHMARK(group_commit_on_rocksdb)->Arg(1)->Arg(16)->Arg(128)->Arg(1024)->UseRealTime();

void group_commit_in_memory(benchmark::State& state) {
    const auto store = make_memory_store();
    group_commit(state, *store);
}
BENCHMARK(group_commit_in_memory)->Arg(1)->Arg(128)->UseRealTime();

}  // namespace
}  // namespace stele::store
