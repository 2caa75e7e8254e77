#include "orders.h"

#include <pthread.h>
#include <signal.h>

using namespace std::chrono_literals;

int main() {
    // Before there are threads, which inherit it: these signals wait for sigwait().
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stops, nullptr);

    auto client = stele::Client::connect(stele::load_client_options());
    stele::Worker worker(client, "orders", {.graceful_stop = 20s});
    register_workflows(worker);
    worker.register_activity<reserve>().register_activity<charge>();
    worker.register_activity<ship>().register_activity<refund>();
    worker.start();
    int signal = 0;
    sigwait(&stops, &signal);
    worker.stop();
}
