// Codecs (codecs.h) compress every payload and encrypt it with AES-256-GCM before it leaves the process.
// The server stores what it cannot read, failure messages included. People read it with the help of
// codec_server.cc.
//
//     encryption

#include <stele/stele.h>

#include "codecs.h"
#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

std::string look_up(std::string patient) { return patient + ": in good health"; }

wf::task<std::string> report(std::string patient) {
    co_return co_await wf::activity<look_up>(patient, {.start_to_close = 10s});
}

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv),
                                              .data_converter = examples::secret_converter()});

        stele::Worker worker(client, "encryption");
        worker.register_workflow<report>().register_activity<look_up>();
        worker.start();
        auto handle = client.start<report>({.task_queue = "encryption"}, "Mr. X");
        std::cout << "workflow: " << handle.workflow_id() << "\n";
        std::cout << "with the key:    " << handle.result() << "\n";

        auto outsider = stele::Client::connect({.address = examples::address(argc, argv)});
        const auto payload = outsider.handle(handle.workflow_id()).result_payloads().at(0);
        std::cout << "without the key: " << payload.data().size() << " bytes of "
                  << payload.metadata().at("encoding") << std::endl;
    });
}
