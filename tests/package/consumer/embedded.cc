#include <stele/embedded.h>
#include <stele/stele.h>

#include <iostream>

namespace wf = stele::wf;

wf::task<int> waits() {
    wf::signals<int> numbers("number");
    co_return co_await numbers.next();
}

// A program with the server inside, which goes on with what the one before it has left:
// embedded DIRECTORY [NUMBER].
int main(int argc, char** argv) {
    stele::embedded::Server server({.directory = argv[1]});
    auto client = server.connect();
    if (argc == 2) {
        client.start<waits>({.id = "kept", .task_queue = "queue"});
        std::cout << "started\n";
        return 0;
    }
    stele::Worker worker(client, "queue");
    worker.register_workflow<waits>();
    worker.start();
    auto handle = client.handle<waits>("kept");
    handle.signal("number", std::stoi(argv[2]));
    std::cout << "result " << handle.result() << "\n";
}
