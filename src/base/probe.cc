#include "base/probe.h"

namespace stele::probe {
namespace {

/// One site in so many is active in a run, and happens so often then.
constexpr std::uint64_t kActiveOneIn = 4;
constexpr std::uint64_t kFiresOneIn = 4;

std::vector<Site*>& registry() {
    static std::vector<Site*> sites;
    return sites;
}

bool comes_before(const Site* a, const Site* b) {
    return a->kind() != b->kind() ? a->kind() < b->kind() : a->name() < b->name();
}

std::uint64_t spread(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

/// FNV-1a, the same in every build: a site's random numbers depend on its name, and not on which
/// other sites there are.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char letter : text) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    }
    return hash;
}

}  // namespace

Site::Site(Kind kind, std::string_view name) : kind_(kind), name_(name) {
    std::vector<Site*>& sites = registry();
    sites.insert(std::upper_bound(sites.begin(), sites.end(), this, comes_before), this);
}

bool Site::fires() {
    if (!active_) return false;
    stream_ += 0x9e3779b97f4a7c15;
    if (spread(stream_) % kFiresOneIn != 0) return false;
    ++count_;
    return true;
}

const std::vector<Site*>& sites() { return registry(); }

void begin_run(std::uint64_t seed, bool faults) {
    for (Site* site : registry()) {
        site->stream_ = spread(seed ^ hash_of(site->name()));
        site->active_ = faults && spread(site->stream_ + 1) % kActiveOneIn == 0;
    }
}

void end_faults() {
    for (Site* site : registry()) site->active_ = false;
}

bool plant(std::string_view name) {
    bool found = name.empty();
    for (Site* site : registry()) {
        site->planted_ = !name.empty() && site->kind() == Kind::kBug && site->name() == name;
        found = found || site->planted_;
    }
    return found;
}

}  // namespace stele::probe
