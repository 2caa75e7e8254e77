// A saga: every step has one that undoes it, and when a step fails, those before it are undone, last
// first. What undoes a step is noted before the step, because a step may have taken effect although
// its answer never came; so it must be harmless when there is nothing to undo.
//
//     money_transfer

#include <stele/stele.h>

#include <map>
#include <mutex>
#include <vector>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

struct Transfer {
    std::string from;
    std::string to;
    int cents = 0;
    std::string reference;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Transfer, from, to, cents, reference)

// Activities may run more than once, so every booking has a name and happens once.
class Bank {
public:
    void withdraw(std::string account, int cents, std::string booking) {
        const std::lock_guard lock(mutex_);
        if (balances_.at(account) < cents)
            throw stele::ApplicationError("not enough money", {.non_retryable = true});
        book(account, -cents, booking);
    }
    void deposit(std::string account, int cents, std::string booking) {
        const std::lock_guard lock(mutex_);
        if (!balances_.contains(account))
            throw stele::ApplicationError("no account " + account, {.non_retryable = true});
        book(account, cents, booking);
    }
    void undo(std::string booking) {
        const std::lock_guard lock(mutex_);
        const auto found = bookings_.find(booking);
        if (found == bookings_.end()) return;
        balances_[found->second.first] -= found->second.second;
        bookings_.erase(found);
        std::cout << "  undone: " << booking << "\n";
    }
    int balance(const std::string& account) const {
        const std::lock_guard lock(mutex_);
        return balances_.at(account);
    }

private:
    void book(const std::string& account, int cents, const std::string& booking) {
        if (!bookings_.emplace(booking, std::pair(account, cents)).second) return;
        balances_[account] += cents;
        std::cout << "  " << booking << ": " << account << " " << cents << "\n";
    }

    mutable std::mutex mutex_;
    std::map<std::string, int> balances_ = {{"ada", 10'000}, {"bob", 0}};
    std::map<std::string, std::pair<std::string, int>> bookings_;
};

using Undo = std::vector<wf::operation<void>>;
constexpr stele::ActivityOptions kBooking{.start_to_close = 10s};

// Nothing begins before it is awaited, so what undoes a step can be made in advance.
wf::task<void> move_money(Transfer transfer, Undo* undo) {
    const std::string withdrawal = transfer.reference + "/withdraw";
    undo->push_back(wf::activity<&Bank::undo>(withdrawal, kBooking));
    co_await wf::activity<&Bank::withdraw>(transfer.from, transfer.cents, withdrawal, kBooking);

    const std::string deposit = transfer.reference + "/deposit";
    undo->push_back(wf::activity<&Bank::undo>(deposit, kBooking));
    co_await wf::activity<&Bank::deposit>(transfer.to, transfer.cents, deposit, kBooking);
}

wf::task<std::string> transfer_money(Transfer transfer) {
    Undo undo;
    auto moved = co_await wf::capture(move_money(transfer, &undo));
    // A cancellation must not reach what cleans up after it.
    if (!moved.ok())
        for (auto step = undo.rbegin(); step != undo.rend(); ++step)
            co_await wf::shielded(std::move(*step));
    moved.value();  // rethrows: the workflow fails
    co_return transfer.reference;
}

int main(int argc, char** argv) {
    return examples::run([&] {
        Bank bank;
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "bank");
        worker.register_workflow<transfer_money>()
            .register_activity<&Bank::withdraw>(&bank)
            .register_activity<&Bank::deposit>(&bank)
            .register_activity<&Bank::undo>(&bank);
        worker.start();

        const stele::StartOptions options{.task_queue = "bank"};
        client.execute<transfer_money>(options, Transfer{"ada", "bob", 2'500, "rent"});
        std::cout << "ada " << bank.balance("ada") << ", bob " << bank.balance("bob") << "\n";
        try {
            client.execute<transfer_money>(options, Transfer{"ada", "nobody", 1'000, "gift"});
        } catch (const stele::WorkflowFailedError& error) {
            std::cout << "failed: " << error.cause().root().message() << "\n";
        }
        std::cout << "ada " << bank.balance("ada") << std::endl;
    });
}
