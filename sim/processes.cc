#include "sim/processes.h"

#include "base/check.h"

#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

namespace stele::sim {

void in_processes(int jobs, const std::function<void(int job)>& share) {
    std::cout << std::flush;  // or each child would print it again
    std::vector<pid_t> children;
    for (int job = 0; job < jobs; ++job) {
        const pid_t pid = fork();
        STELE_CHECK(pid >= 0, "no more processes");
        if (pid == 0) {
            share(job);
            std::cout << std::flush;
            _exit(0);
        }
        children.push_back(pid);
    }
    for (const pid_t child : children) waitpid(child, nullptr, 0);
}

}  // namespace stele::sim
