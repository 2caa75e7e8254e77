// A workflow must not wait for anything that its history does not know.
#include <stele/workflow.h>

stele::wf::task<> workflow() { co_await std::suspend_always(); }
