// g++ would destroy what the lambda holds twice.
#include <stele/workflow.h>

stele::wf::task<> workflow(std::string name) {
    co_await stele::wf::until([name] { return name.empty(); });
}
