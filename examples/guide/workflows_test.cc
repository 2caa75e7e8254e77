#include <gtest/gtest.h>
#include <stele/stele.h>
#include <stele/testing.h>

// The guide's snippets about what workflows are made of. What stands between the markers is shown in
// docs/sdk.md, word for word (tests/guide).
namespace {

namespace wf = stele::wf;
using namespace std::chrono_literals;

// ---- A workflow that is a class ---------------------------------------------------------------

class Approval {
public:
    wf::task<std::string> run() {
        co_await wf::until([this] { return approved_; });
        co_return status_;
    }
    void approve() { approved_ = true; }
    std::string status() const { return status_; }
    std::string set(std::string status) { return std::exchange(status_, status); }
    void check(std::string status) const {
        if (status.empty()) throw stele::ApplicationError("which one?");
    }

private:
    bool approved_ = false;
    std::string status_ = "new";
};

TEST(GuideTest, ClassWorkflowIsRegisteredWithItsHandlers) {
    stele::testing::Environment environment;
    stele::Worker worker(environment.client(), "queue");
    // >>> register
    wf::register_type<Approval>(worker)
        .run<&Approval::run>()
        .signal<&Approval::approve>()                 // may itself be a coroutine
        .query<&Approval::status>()                   // must be const: the compiler checks it
        .update<&Approval::set, &Approval::check>();  // with a validator, also const
    // <<<
    worker.start();
    auto handle = environment.client().start<&Approval::run>({.task_queue = "queue"});
    EXPECT_THROW((void)handle.execute_update<&Approval::set>(""), stele::UpdateFailedError);
    EXPECT_EQ(handle.execute_update<&Approval::set>("urgent"), "new");
    EXPECT_EQ(handle.query<&Approval::status>(), "urgent");
    handle.signal<&Approval::approve>();
    EXPECT_EQ(handle.result(), "urgent");
}

// ---- Updates -----------------------------------------------------------------------------------

struct Item {
    std::string name;
    int count = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Item, name, count)

int price_of(Item item) { return 10 * item.count; }

// >>> cart
class Cart {
public:
    wf::task<int> run(std::string customer) {
        wf::set_current_details("the cart of " + customer);
        co_await wf::until([this] { return total_ >= 100; });
        co_return total_;
    }
    wf::task<int> add(Item item) {  // may wait; its result is the caller's
        total_ += co_await wf::activity<price_of>(item, {.start_to_close = 10s});
        co_return total_;
    }
    void check(Item item) const {  // throws to reject
        if (item.count <= 0) throw stele::ApplicationError("how many?");
    }

private:
    int total_ = 0;
};
// <<<

TEST(GuideTest, UpdatesPutDataInAndGiveTheAnswer) {
    stele::testing::Environment environment;
    stele::Worker worker(environment.client(), "queue");
    wf::register_type<Cart>(worker).run<&Cart::run>().update<&Cart::add, &Cart::check>();
    worker.register_activity<price_of>();
    worker.start();
    auto handle = environment.client().start<&Cart::run>({.task_queue = "queue"}, "Ada");
    const Item item{"apple", 5};
    // >>> cart
    int total = handle.execute_update<&Cart::add>(item);  // throws UpdateFailedError
    auto update = handle.start_update<&Cart::add>({.id = "order-7"}, item);  // accepted
    int later = update.result();                                             // waits
    // <<<
    EXPECT_EQ(total, 50);
    EXPECT_EQ(later, 100);
    EXPECT_EQ(handle.result(), 100);
    const Item nothing{"apple", 0};
    auto other = environment.client().start<&Cart::run>({.task_queue = "queue"}, "Bob");
    EXPECT_THROW((void)other.execute_update<&Cart::add>(nothing), stele::UpdateFailedError);
}

// ---- Failures ----------------------------------------------------------------------------------

using Order = Item;

std::string charge(Order order) { return "paid for " + order.name; }
void refund(Order) {}

wf::task<std::string> pays(Order order) {
    // >>> capture
    auto charged = co_await wf::capture(wf::activity<charge>(order, {.start_to_close = 10s}));
    if (charged.cancelled())
        co_await wf::shielded(wf::activity<refund>(order, {.start_to_close = 10s}));
    co_return charged.value();  // rethrows what was captured
    // <<<
}

TEST(GuideTest, CancelledPaymentIsPaidBack) {
    stele::testing::Environment environment;
    stele::Worker worker(environment.client(), "queue");
    std::atomic<int> refunds = 0;
    worker.register_workflow<pays>();
    stele::testing::mock_activity<charge>(worker, [](Order order) {
        if (order.name == "slow") (void)stele::activity::sleep_for(5s);
        return charge(order);
    });
    stele::testing::mock_activity<refund>(worker, [&](Order order) {
        refund(order);
        ++refunds;
    });
    worker.start();
    const Order quick{"quick", 1}, slow{"slow", 1};
    EXPECT_EQ(environment.client().execute<pays>({.task_queue = "queue"}, quick), "paid for quick");
    auto handle = environment.client().start<pays>({.task_queue = "queue"}, slow);
    environment.sleep(1s);
    handle.cancel();
    EXPECT_THROW((void)handle.result(), stele::WorkflowFailedError);
    EXPECT_EQ(refunds, 1);
}

wf::task<int> ship(Order order) { co_return order.count; }

wf::task<int> ships() {
    // >>> literal
    Order order{"x", 3};
    co_await ship(order);  // not: co_await ship(Order{"x", 3})
    // <<<
    co_return order.count;
}

TEST(GuideTest, NamedStructIsAwaitedSafely) {
    stele::testing::Environment environment;
    stele::Worker worker(environment.client(), "queue");
    worker.register_workflow<ships>();
    worker.start();
    EXPECT_EQ(environment.client().execute<ships>({.task_queue = "queue"}), 3);
}

}  // namespace

// ---- Names -------------------------------------------------------------------------------------

namespace bank {
bool charge(int cents) { return cents > 0; }
}  // namespace bank

// >>> name
template <>
inline constexpr std::string_view stele::activity_name<bank::charge> = "ChargeCard";
// <<<

namespace {

TEST(GuideTest, ActivityHasTheNameThatItWasGiven) {
    EXPECT_EQ(stele::activity_name<bank::charge>, "ChargeCard");
}

}  // namespace
