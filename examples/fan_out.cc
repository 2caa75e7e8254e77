// A thousand children at once, each a workflow of its own, and one result of them all.
//
//     fan_out [--children N]

#include <stele/stele.h>

#include <chrono>
#include <numeric>
#include <vector>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

wf::task<int> square(int number) { co_return number* number; }

wf::task<long> sum_of_squares(int children) {
    std::vector<wf::task<int>> squares;
    for (int i = 1; i <= children; ++i) squares.push_back(wf::child<square>(i));
    const std::vector<int> results = co_await wf::all(std::move(squares));
    co_return std::accumulate(results.begin(), results.end(), 0L);
}

int main(int argc, char** argv) {
    return examples::run([&] {
        const int children = std::stoi(examples::flag(argc, argv, "--children", "1000"));
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "fan-out");
        worker.register_workflow<sum_of_squares>().register_workflow<square>();
        worker.start();
        const auto begin = std::chrono::steady_clock::now();
        const long sum = client.execute<sum_of_squares>({.task_queue = "fan-out"}, children);
        const auto spent = std::chrono::steady_clock::now() - begin;
        std::cout << children << " children: " << sum << "\n";
        std::cout << std::chrono::duration_cast<std::chrono::milliseconds>(spent).count() << " ms"
                  << std::endl;
    });
}
