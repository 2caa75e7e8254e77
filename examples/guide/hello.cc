#include <stele/stele.h>

#include <iostream>

namespace wf = stele::wf;
using namespace std::chrono_literals;

std::string compose(std::string name) { return "Hello, " + name; }  // an activity

wf::task<std::string> greet(std::string name) {  // a workflow
    co_await wf::sleep(1s);
    co_return co_await wf::activity<compose>(name, {.start_to_close = 10s});
}

int main() {
    auto client = stele::Client::connect(stele::load_client_options());
    stele::Worker worker(client, "greetings");
    worker.register_workflow<greet>().register_activity<compose>();
    worker.start();
    std::cout << client.execute<greet>({.task_queue = "greetings"}, "world") << "\n";
}
