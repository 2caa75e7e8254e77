#include <cstdio>

int main() {
    std::fputs("stele: no command is built in yet\n", stderr);
    return 1;
}
