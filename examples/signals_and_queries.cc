// A workflow that is a class: signals change the object, queries look at it.
//
//     signals_and_queries

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

struct Request {
    std::string item;
    int amount = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Request, item, amount)

class Approval {
public:
    wf::task<std::string> run(Request request) {
        request_ = request;
        const bool answered = co_await wf::until([this] { return !approver_.empty(); }, 24h);
        co_return answered ? request_.item + " approved by " + approver_ : "nobody answered";
    }
    void approve(std::string approver) { approver_ = approver; }

    // The compiler sees to it that a query changes nothing.
    std::string status() const { return approver_.empty() ? "waiting" : "approved"; }
    Request request() const { return request_; }

private:
    Request request_;
    std::string approver_;
};

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "approvals");
        wf::register_type<Approval>(worker)
            .run<&Approval::run>()
            .signal<&Approval::approve>()
            .query<&Approval::status>()
            .query<&Approval::request>();
        worker.start();

        auto handle =
            client.start<&Approval::run>({.task_queue = "approvals"}, Request{"a telescope", 400});
        std::cout << handle.query<&Approval::request>().item << ": "
                  << handle.query<&Approval::status>() << "\n";
        handle.signal<&Approval::approve>("Ada");
        std::cout << "result: " << handle.result() << "\n";
        std::cout << "status: " << handle.query<&Approval::status>() << std::endl;
    });
}
