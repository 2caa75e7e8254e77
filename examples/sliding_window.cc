// A batch of any size with so many children at a time, no more and no fewer: as soon as one ends the
// next begins. The history of one run stays short, because every page of the batch has a run of its
// own.
//
//     sliding_window

#include <stele/stele.h>

#include <algorithm>
#include <vector>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

struct Batch {
    int next_record = 0;
    int records = 0;
    int page = 50;
    int window = 5;
    int processed = 0;
    int most_at_a_time = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Batch, next_record, records, page, window,
                                                processed, most_at_a_time)

wf::task<int> process_record(int record) {
    // Records are of different size.
    co_await wf::sleep(std::chrono::milliseconds(wf::random_between(1, 20)));
    co_return record % 10 == 0 ? 0 : 1;
}

class SlidingWindow {
public:
    wf::task<Batch> run(Batch batch) {
        batch_ = batch;
        wf::semaphore window(batch_.window);
        const int end = std::min(batch_.next_record + batch_.page, batch_.records);
        std::vector<wf::task<void>> records;
        for (int record = batch_.next_record; record < end; ++record)
            records.push_back(process(record, &window));
        co_await wf::all(std::move(records));
        batch_.next_record = end;
        if (end < batch_.records) co_await wf::continue_as_new<&SlidingWindow::run>(batch_);
        co_return batch_;
    }
    Batch progress() const { return batch_; }

private:
    wf::task<void> process(int record, wf::semaphore* window) {
        auto permit = co_await window->acquire();
        batch_.most_at_a_time = std::max(batch_.most_at_a_time, ++at_work_);
        const std::string id = wf::info().workflow_id + "/" + std::to_string(record);
        batch_.processed += co_await wf::child<process_record>(record, {.id = id});
        --at_work_;
    }

    Batch batch_;
    int at_work_ = 0;
};

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "batches");
        wf::register_type<SlidingWindow>(worker)
            .run<&SlidingWindow::run>()
            .query<&SlidingWindow::progress>();
        worker.register_workflow<process_record>();
        worker.start();

        Batch batch;
        batch.records = 120;
        auto handle = client.start<&SlidingWindow::run>({.task_queue = "batches"}, batch);
        const Batch done = handle.result();
        std::cout << "records: " << done.next_record << ", processed: " << done.processed
                  << ", at a time: " << done.most_at_a_time << std::endl;
    });
}
