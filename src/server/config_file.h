#pragma once

#include "config/dynamic_config.h"
#include "env/env.h"

#include <memory>
#include <string>

// The file of dynamic configuration, read at start and again whenever it changes.
namespace stele::server {

/// The destructor stops watching.
class ConfigFile {
public:
    /// Reads the file into `config`. An error names the file, and the line and key where there is one.
    /// `config` must outlive the result.
    static absl::StatusOr<std::unique_ptr<ConfigFile>> open(env::Env& env,
                                                            config::DynamicConfig& config,
                                                            std::string path);
    ~ConfigFile();

private:
    ConfigFile(env::Env& env, config::DynamicConfig& config, std::string path);

    absl::Status load();
    /// Reads the file if it is not what was read last. One that can not be used changes nothing.
    void reload();
    void watch();

    env::Env& env_;
    config::DynamicConfig& config_;
    std::string path_;
    std::string text_;  // as it was read last, used or not
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::server
