#include "env/env.h"

#include <gtest/gtest.h>

#include <regex>

namespace stele::env {
namespace {

class Constant final : public Random {
public:
    explicit Constant(std::uint64_t value) : value_(value) {}
    std::uint64_t next() override { return value_; }
    std::string secret_bytes(std::size_t count) override { return std::string(count, 'x'); }

private:
    std::uint64_t value_;
};

TEST(NewUuid, SetsVersionAndVariantWhateverIsDrawn) {
    const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0x1234}}) {
        Constant random(value);
        EXPECT_TRUE(std::regex_match(new_uuid(random), form)) << value;
    }
}

}  // namespace
}  // namespace stele::env
