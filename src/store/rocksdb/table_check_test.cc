#include "store/rocksdb/table_check.h"

#include "store/faults/fault_files.h"
#include "store/rocksdb/whole_reads.h"

#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table_properties.h>

#include <memory>
#include <string>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::IOStatus;

constexpr char kFile[] = "/data/000001.sst";

/// The bytes of a table with a few keys.
std::string table() {
    const auto files = std::make_shared<FaultFiles>();
    files->load({{"/data/other", ""}});
    const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
    rocksdb::Options options;
    options.env = env.get();
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options);
    EXPECT_TRUE(writer.Open(kFile).ok());
    for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(writer.Put(key, "value").ok());
    EXPECT_TRUE(writer.Finish().ok());
    return files->contents().at(kFile);
}

IOStatus open(const std::string& name, const std::string& bytes) {
    const auto below = std::make_shared<FaultFiles>();
    below->load({{name, bytes}});
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    return with_whole_reads(below)->NewRandomAccessFile(name, FileOptions(), &file, nullptr);
}

TEST(TableCheck, RefusesTheBitThatRocksDbTripsOver) {
    const std::string whole = table();
    ASSERT_TRUE(open(kFile, whole).ok()) << open(kFile, whole).ToString();
    int named = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x80);
        EXPECT_TRUE(open("/data/000001.log", damaged).ok());
        // Damage of what tells where the properties are may lead to another byte.
        const IOStatus status = open(kFile, damaged);
        if (status.ok()) continue;
        EXPECT_TRUE(status.IsCorruption());
        const std::string text = status.ToString();
        EXPECT_NE(text.find(kFile), std::string::npos) << text;
        if (text.find("byte " + std::to_string(at) + ",") != std::string::npos) ++named;
    }
    EXPECT_EQ(named, 1);
}

TEST(TableCheck, LeavesWhatIsNoTableToRocksDb) {
    const std::string whole = table();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_TRUE(open(kFile, whole.substr(0, length)).ok()) << length;
    }
}

}  // namespace
}  // namespace stele::store
