#include "server/config_file.h"

#include "config/yaml.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <iterator>
#include <utility>

namespace stele::server {
namespace {

constexpr Duration kWatchInterval = std::chrono::seconds(10);

absl::StatusOr<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file.is_open() || file.bad()) {
        return unavailable(fmt::format("{}: the file can not be read", path));
    }
    return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConfigFile>> ConfigFile::open(env::Env& env,
                                                             config::DynamicConfig& config,
                                                             std::string path) {
    std::unique_ptr<ConfigFile> file(new ConfigFile(env, config, std::move(path)));
    STELE_ASSIGN_OR_RETURN(file->text_, read_file(file->path_));
    STELE_RETURN_IF_ERROR(file->load());
    file->watch();
    return file;
}

ConfigFile::ConfigFile(env::Env& env, config::DynamicConfig& config, std::string path)
    : env_(env),
      config_(config),
      path_(std::move(path)),
      executor_(env.make_blocking_executor("config-file")) {}

ConfigFile::~ConfigFile() { executor_->stop(); }

absl::Status ConfigFile::load() {
    STELE_ASSIGN_OR_RETURN(config::Parsed parsed,
                           config::parse_yaml(config_.registry(), path_, text_));
    for (const std::string& warning : parsed.warnings) spdlog::warn("{}", warning);
    config_.set_file(std::move(parsed.values));
    return absl::OkStatus();
}

void ConfigFile::reload() {
    absl::StatusOr<std::string> text = read_file(path_);
    if (!text.ok()) {
        spdlog::warn("{}; what was read before still holds", message_of(text.status()));
        return;
    }
    if (*text == text_) return;
    text_ = *std::move(text);
    if (const absl::Status status = load(); !status.ok()) {
        spdlog::error("{}; what was read before still holds", message_of(status));
        return;
    }
    spdlog::info("{}: read again", path_);
}

void ConfigFile::watch() {
    executor_->run_at(env_.now() + kWatchInterval, [this] {
        reload();
        watch();
    });
}

}  // namespace stele::server
