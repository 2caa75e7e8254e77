// A workflow that stands for a thing and lives as long: the account of a customer. It is called into
// being by the first message to it, takes messages one after the other, and passes its state to a
// fresh run now and then, so that no history grows without end. No message gets lost in between.
//
//     entity

#include <stele/stele.h>

#include "common.h"

namespace wf = stele::wf;
using namespace std::chrono_literals;

struct Account {
    std::string customer;
    int points = 0;
    int messages = 0;
    int runs = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Account, customer, points, messages, runs)

// The server says when a history has become long; an example must not wait for that.
constexpr int kMessagesPerRun = 10;

class Loyalty {
public:
    wf::task<Account> run(Account account) {
        // Signals may be handled before this line: what they added stays.
        account.points += account_.points;
        account.messages += account_.messages;
        account_ = account;
        begun_ = true;
        co_await wf::until([this] { return closed_ || is_full(); });
        // Whoever waits for the answer of an update gets it from this run.
        co_await wf::until(wf::all_handlers_finished);
        if (closed_) co_return account_;
        Account next = account_;
        ++next.runs;
        co_await wf::continue_as_new<&Loyalty::run>(next);
        co_return next;
    }

    void earn(int points) {
        account_.points += points;
        count();
    }
    // May come with the first task of a run, which then does not know its account yet: so it waits, which
    // a validator could not.
    wf::task<int> spend(int points) {
        co_await wf::until([this] { return begun_; });
        if (points > account_.points) throw stele::ApplicationError("not enough points");
        account_.points -= points;
        count();
        co_return account_.points;
    }
    void close() { closed_ = true; }
    Account look() const { return account_; }

private:
    void count() {
        ++account_.messages;
        ++of_this_run_;
    }
    bool is_full() const {
        return of_this_run_ >= kMessagesPerRun || wf::info().continue_as_new_suggested;
    }

    Account account_;
    int of_this_run_ = 0;
    bool begun_ = false;
    bool closed_ = false;
};

int main(int argc, char** argv) {
    return examples::run([&] {
        auto client = stele::Client::connect({.address = examples::address(argc, argv)});
        stele::Worker worker(client, "loyalty");
        wf::register_type<Loyalty>(worker)
            .run<&Loyalty::run>()
            .signal<&Loyalty::earn>()
            .signal<&Loyalty::close>()
            .update<&Loyalty::spend>()
            .query<&Loyalty::look>();
        worker.start();

        stele::StartOptions options;
        options.id = "loyalty-of-ada";
        options.task_queue = "loyalty";
        options.id_conflict = stele::IdConflictPolicy::kUseExisting;
        for (int i = 0; i < 25; ++i)
            client.signal_with_start<&Loyalty::run>(options, "earn", std::tuple(10),
                                                    Account{.customer = "Ada"});

        auto account = client.handle<&Loyalty::run>(options.id);
        try {
            account.execute_update<&Loyalty::spend>(1'000'000);
        } catch (const stele::UpdateFailedError& error) {
            std::cout << "rejected: " << error.cause().message() << "\n";
        }
        std::cout << "left: " << account.execute_update<&Loyalty::spend>(50) << "\n";
        account.signal<&Loyalty::close>();
        const Account last = account.result();
        std::cout << last.customer << ": " << last.points << " points, " << last.messages
                  << " messages, " << (last.runs > 1 ? "several runs" : "one run") << std::endl;
    });
}
