// g++ would destroy the temporary twice.
#include <stele/workflow.h>

struct Order {
    std::string id;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id)

int charge(Order order);

stele::wf::task<> workflow() { (void)co_await stele::wf::activity<charge>(Order{"x"}, {}); }
