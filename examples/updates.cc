// Data in and the answer out, in one step: an update. The workflow may reject it, in which case the
// history keeps no trace of it, or work on it for as long as it likes.
//
//     updates

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

struct Item {
    std::string name;
    int count = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Item, name, count)

int price_of(Item item) { return 10 * item.count; }

class Cart {
public:
    wf::task<int> run(std::string customer) {
        customer_ = customer;
        co_await wf::until([this] { return checked_out_; });
        // Whoever waits for an answer shall get it before the run ends.
        co_await wf::until(wf::all_handlers_finished);
        co_return total_;
    }

    // A handler that waits. Its result is what the caller gets.
    wf::task<int> add(Item item) {
        total_ += co_await wf::activity<price_of>(item, {.start_to_close = 10s});
        co_return total_;
    }
    // Called first; a validator looks and throws, and changes nothing.
    void check(Item item) const {
        if (item.count <= 0) throw stele::ApplicationError("how many?", {.type = "BadCount"});
        if (checked_out_) throw stele::ApplicationError("the cart is checked out");
    }

    std::string check_out() {
        checked_out_ = true;
        return "thank you, " + customer_;
    }

private:
    std::string customer_;
    int total_ = 0;
    bool checked_out_ = false;
};

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "carts");
        wf::register_type<Cart>(worker)
            .run<&Cart::run>()
            .update<&Cart::add, &Cart::check>({.description = "Puts an item into the cart."})
            .update<&Cart::check_out>();
        worker.register_activity<price_of>();
        worker.start();

        // Update-with-start: the first item makes the cart.
        stele::StartOptions options;
        options.id = "cart-of-ada";
        options.task_queue = "carts";
        options.id_conflict = stele::IdConflictPolicy::kUseExisting;
        auto opened = client.with_start<&Cart::run>(options, "Ada");
        std::cout << "total: " << opened.execute_update<&Cart::add>(Item{"apple", 3}) << "\n";
        auto cart = opened.handle();

        try {
            cart.execute_update<&Cart::add>(Item{"pear", 0});
        } catch (const stele::UpdateFailedError& error) {
            std::cout << "rejected: " << error.cause().message() << "\n";
        }

        // Sent now, waited for later, here or elsewhere. The id makes it happen once only.
        (void)cart.start_update<&Cart::add>({.id = "order-7"}, Item{"plum", 2});
        std::cout << "total: " << cart.update_handle<&Cart::add>("order-7").result() << "\n";

        std::cout << cart.execute_update<&Cart::check_out>() << "\n";
        std::cout << "paid: " << cart.result() << std::endl;
    });
}
