// An order that somebody must approve. The decision comes as an update, so that whoever decides hears
// at once whether it counts; nobody is waited for longer than a deadline, and reminders go out
// meanwhile.
//
//     order_approval

#include <stele/stele.h>

#include <optional>
#include <thread>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

struct Decision {
    std::string by;
    bool approved = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Decision, by, approved)

struct Order {
    std::string id;
    std::string customer;
    int euros = 0;
    int reminder_seconds = 3'600;
    int reminders = 3;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Order, id, customer, euros, reminder_seconds,
                                                reminders)

void remind(std::string order) { std::cout << "  order " << order << " waits for you\n"; }
void ship(std::string order) { std::cout << "  order " << order << " is on its way\n"; }

class OrderApproval {
public:
    wf::task<std::string> run(Order order) {
        order_ = order;
        // Small orders need nobody.
        if (order_.euros > 1'000) co_await ask();
        if (decision_ && !decision_->approved) co_return "refused by " + decision_->by;
        if (order_.euros > 1'000 && !decision_) co_return "nobody decided";
        co_await wf::activity<ship>(order_.id, {.start_to_close = 10s});
        co_await wf::until(wf::all_handlers_finished);
        co_return "shipped";
    }

    std::string decide(Decision decision) {
        decision_ = decision;
        return decision.approved ? "order " + order_.id + " will be shipped" : "noted";
    }
    // Rejected here, the decision leaves no trace in the history.
    void may_decide(Decision decision) const {
        if (decision.by == order_.customer)
            throw stele::ApplicationError("nobody approves their own order");
        if (decision_) throw stele::ApplicationError("decided already, by " + decision_->by);
    }
    std::string status() const {
        return !decision_ ? "waiting" : decision_->approved ? "approved" : "refused";
    }

private:
    wf::task<void> ask() {
        for (int i = 0; i <= order_.reminders; ++i) {
            const std::chrono::seconds patience(order_.reminder_seconds);
            if (co_await wf::until([this] { return decision_.has_value(); }, patience)) co_return;
            if (i < order_.reminders)
                co_await wf::activity<remind>(order_.id, {.start_to_close = 10s});
        }
    }

    Order order_;
    std::optional<Decision> decision_;
};

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "orders");
        wf::register_type<OrderApproval>(worker)
            .run<&OrderApproval::run>()
            .update<&OrderApproval::decide, &OrderApproval::may_decide>()
            .query<&OrderApproval::status>();
        worker.register_activity<remind>().register_activity<ship>();
        worker.start();

        const stele::StartOptions options{.task_queue = "orders"};
        const auto small = client.start<&OrderApproval::run>(options, Order{"1", "Ada", 20});
        const std::string end = small.result();
        std::cout << "small: " << end << "\n";

        auto large = client.start<&OrderApproval::run>(options, Order{"2", "Ada", 5'000, 1});
        std::cout << "large: " << large.query<&OrderApproval::status>() << "\n";
        std::this_thread::sleep_for(1500ms);
        try {
            large.execute_update<&OrderApproval::decide>(Decision{"Ada", true});
        } catch (const stele::UpdateFailedError& error) {
            std::cout << "rejected: " << error.cause().message() << "\n";
        }
        std::cout << large.execute_update<&OrderApproval::decide>(Decision{"Bob", true}) << "\n";
        // Asked for before anything is printed: the worker prints as well.
        const std::string shipped = large.result();
        std::cout << "large: " << shipped << "\n";

        Order forgotten{"3", "Ada", 5'000, 1, 0};
        std::cout << "forgotten: " << client.execute<&OrderApproval::run>(options, forgotten)
                  << std::endl;
    });
}
