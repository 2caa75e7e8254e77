#include <stele/stele.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <thread>
#include <unordered_map>

// What workflow code may do, and what may stand beside it. Nothing is found here.
namespace wf = stele::wf;
using namespace std::chrono_literals;

namespace good {

struct Order {
    std::string id;
    int count = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Order, id, count)

// An activity may do everything.
std::string ship(Order order) {
    static std::mutex mutex;
    static int shipped = 0;
    const std::lock_guard lock(mutex);
    std::this_thread::sleep_for(1ms);
    std::ofstream("log") << order.id << ++shipped << std::random_device()();
    std::cout << std::chrono::system_clock::now().time_since_epoch().count();
    return std::getenv("CARRIER");
}

const std::map<std::string, int> kPrices = {{"apple", 3}, {"pear", 4}};

static std::string describe(const std::vector<int>& values) {
    std::ostringstream text;
    for (int value : values) text << value << " ";
    return text.str();
}

wf::task<std::string> everything(Order order) {
    const wf::Time begin = wf::now();
    co_await wf::sleep(1s);
    std::unordered_map<std::string, int> stock;
    stock.emplace("apple", 1);
    if (stock.find("pear") != stock.end()) stock.erase("pear");
    std::map<std::string, int> sorted{{"a", 1}};
    int sum = 0;
    for (const auto& [name, count] : sorted) sum += count * kPrices.at("apple");
    std::vector<int> values{3, 1, 2};
    std::sort(values.begin(), values.end(), [](int a, int b) { return a > b; });
    std::mt19937_64 engine(wf::random());
    // check-workflows: the same program everywhere
    std::sample(values.begin(), values.begin() + 1, values.begin() + 1, 1, engine);
    std::shuffle(values.begin(), values.end(), engine);  // check-workflows: one build runs
    wf::log(stele::LogLevel::kInfo, describe(values));
    wf::mutex mine;
    auto lock = co_await mine.acquire();
    auto shipped = co_await wf::capture(wf::activity<ship>(order, {.start_to_close = 10s}));
    if (!shipped.ok()) throw stele::ApplicationError("not shipped");
    auto shared = std::make_shared<int>(static_cast<int>(wf::random_between(1, 6)));
    co_await wf::until([shared] { return *shared > 0; });
    const auto spent = std::chrono::duration_cast<std::chrono::seconds>(wf::now() - begin);
    co_return shipped.value() + std::to_string(sum + spent.count()) + wf::uuid();
}

class Cart {
public:
    wf::task<int> run() {
        co_await wf::until([this] { return total_ > 10; }, 24h);
        co_return total_;
    }
    void add(int price) { total_ += price; }
    int total() const { return total_; }

private:
    int total_ = 0;
};

}  // namespace good

int main() {
    auto client = stele::Client::connect(stele::load_client_options());
    stele::Worker worker(client, "good");
    wf::register_type<good::Cart>(worker)
        .run<&good::Cart::run>()
        .signal<&good::Cart::add>()
        .query<&good::Cart::total>();
    worker.register_workflow<good::everything>().register_activity<good::ship>();
    worker.start();
    std::cout << client.execute<&good::Cart::run>({.task_queue = "good"}) << "\n";
}
