#include "env/posix/posix_random.h"

#include "base/check.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

namespace stele::env {
namespace {

void fill_from_kernel(char* bytes, std::size_t count) {
    while (count > 0) {
        const ssize_t got = getrandom(bytes, count, 0);
        if (got < 0 && errno == EINTR) continue;
        STELE_CHECK(got > 0, std::string("getrandom: ") + std::strerror(errno));
        bytes += got;
        count -= static_cast<std::size_t>(got);
    }
}

/// xoshiro256** by Blackman and Vigna.
class Stream {
public:
    Stream() {
        std::array<char, sizeof(state_)> seed;
        fill_from_kernel(seed.data(), seed.size());
        std::memcpy(state_.data(), seed.data(), seed.size());
    }

    std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

private:
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace

std::uint64_t PosixRandom::next() {
    thread_local Stream stream;
    return stream.next();
}

std::string PosixRandom::secret_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    fill_from_kernel(bytes.data(), bytes.size());
    return bytes;
}

}  // namespace stele::env
