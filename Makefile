# The front door. Each target does what is needed before it; `make` alone lists them.

PRESET ?= release
BUILD  := build/$(PRESET)
SEEDS  ?= 200
SECONDS ?= 60
SCHEDULES ?= 100000
SANITIZE ?= address,undefined

# A file that is not in the cache is then preprocessed once rather than twice.
export CCACHE_DEPEND := 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## Install Debian packages, fetch the API definitions, build RocksDB and protobuf
	@scripts/deps.sh

.PHONY: configure
configure: deps
	@cmake --preset $(PRESET) > build/configure.log || { cat build/configure.log; exit 1; }

.PHONY: build
build: configure ## Build everything (PRESET=release)
	cmake --build $(BUILD)

.PHONY: hello
hello: configure ## Run a first C++ workflow on a durable server
	cmake --build $(BUILD) --target stele stele_example_hello
	@scripts/hello.sh $(BUILD)

.PHONY: test
test: build ## Run every suite of tests/suites.txt
	@scripts/run_tests.py $(BUILD)

.PHONY: unit
unit: build ## Run the unit and structure tests only
	@scripts/ctest_summary.py $(BUILD)

.PHONY: interop
interop: build ## Official SDKs against Stele: a table of SDK by scenario
	@scripts/interop.sh $(BUILD)

.PHONY: guide
guide: configure ## Run the code of the guide, and compare it with docs/sdk.md
	cmake --build $(BUILD) --target stele stele_guide_test stele_guide_hello stele_guide_orders_worker
	@tests/guide/run.py $(BUILD)

.PHONY: check-workflows
check-workflows: build ## Look for forbidden calls in the workflows of the examples
	@scripts/check_workflows.py -p $(BUILD) $$(git ls-files 'examples/*.cc')

.PHONY: sdk-temporal
sdk-temporal: build ## The SDK's integration tests and examples on a real Temporal server
	@tests/sdk/run $(BUILD) temporal

.PHONY: sdk-sanitize
sdk-sanitize: build ## The SDK's tests under sanitizers: first asan, then tsan
	@scripts/sdk_sanitize.sh asan $(BUILD)/stele
	@scripts/sdk_sanitize.sh tsan

.PHONY: sanitize
sanitize: ## Suites under AddressSanitizer and UBSan, then under ThreadSanitizer
	@scripts/sanitize.sh asan
	@scripts/sanitize.sh tsan

.PHONY: sim
sim: configure ## Simulate crashes and lost messages (SEEDS=200)
	cmake --build $(BUILD) --target stele_sim
	$(BUILD)/stele_sim --seeds $(SEEDS)

.PHONY: crash-points
crash-points: configure ## Cut the power, and fail, at every change of the store's files
	cmake --build $(BUILD) --target stele_crash_points
	$(BUILD)/stele_crash_points

.PHONY: corruption
corruption: configure ## Damage each byte and each length of the files of a store and of its index
	cmake --build $(BUILD) --target stele_corruption
	$(BUILD)/stele_corruption

.PHONY: bug-bank
bug-bank: configure ## Plant each known bug until the simulator finds it (SEEDS=10000)
	cmake --build $(BUILD) --target stele_sim
	$(BUILD)/stele_sim --bank --seeds $(if $(filter command% environment%,$(origin SEEDS)),$(SEEDS),10000)

.PHONY: sim-repeat
sim-repeat: configure ## Play seeds twice: same traces, written for comparison of builds (SEEDS=200)
	cmake --build $(BUILD) --target stele_sim
	$(BUILD)/stele_sim --repeat-seeds $(SEEDS) --hashes $(BUILD)/sim-hashes.txt

.PHONY: sdk-schedules
sdk-schedules: configure ## Random lives of workflow runs, warm and cold (SCHEDULES=100000)
	cmake --build $(BUILD) --target stele_sdk_test
	STELE_SDK_SCHEDULES=$(SCHEDULES) $(BUILD)/stele_sdk_test --gtest_filter='*SchedulesTest.*'

.PHONY: bench
bench: build ## Compare with a real Temporal server under the same worker
	@scripts/bench.sh $(BUILD)

.PHONY: bench-raw
bench-raw: build ## Compare under bare gRPC calls, also with a server without an engine (PROFILES=directory)
	@scripts/bench_raw.sh $(BUILD) $(if $(PROFILES),-profiles $(abspath $(PROFILES)))

.PHONY: profile
profile: deps ## Collect anew what the release build knows of a load
	@scripts/profile.sh

.PHONY: bench-flat
bench-flat: build ## Cost beside a full store, many shards, long histories; memory
	@scripts/bench_flat.sh $(BUILD)

.PHONY: bench-micro
bench-micro: configure ## Measure parts alone: commit, transitions, matching, pages, lists, replay
	cmake --build $(BUILD) --target stele_bench_micro
	$(BUILD)/stele_bench_micro

.PHONY: bench-limits
bench-limits: build ## Thousands of activities, timers, children; a million workflows
	@scripts/bench_limits.sh $(BUILD)

.PHONY: bench-sdk
bench-sdk: configure ## Measure workers of the C++, Go and Python SDKs on the same server
	cmake --build $(BUILD) --target stele stele_bench_sdk
	@scripts/bench_sdk.sh $(BUILD)

.PHONY: differential
differential: build ## Play the same calls on Stele and Temporal, and compare
	@scripts/differential.sh $(BUILD)

.PHONY: conformance
conformance: build ## Temporal's own functional tests against Stele: the score
	@scripts/conformance.sh $(BUILD)

.PHONY: crash
crash: build ## Kill the server under load, and look for what was lost (KILLS=10)
	@scripts/crash.sh $(BUILD)

.PHONY: bad-input
bad-input: build ## Invalid calls: codes, details and an untouched store
	@scripts/bad_input.sh $(BUILD)

.PHONY: fuzz
fuzz: configure ## Fuzz every target, two at a time (SECONDS=60, each)
	cmake --build $(BUILD) --target stele_fuzz_replay
	@cmake -S fuzz -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DSTELE_BUILD=$(CURDIR)/$(BUILD) \
		-DSTELE_SANITIZE=$(SANITIZE) > build/fuzz-configure.log || { cat build/fuzz-configure.log; exit 1; }
	cmake --build build/fuzz
	@scripts/fuzz.py --seconds $(SECONDS) build/fuzz

.PHONY: package
package: build ## Debian packages of the server and the SDK
	cpack --config $(BUILD)/CPackConfig.cmake
	@ls $(BUILD)/packages/*.deb

.PHONY: format
format: ## Format all C++ files
	@git ls-files '*.h' '*.cc' | xargs clang-format-19 -i

.PHONY: lint
lint: ## Check the format, then run clang-tidy on what clang compiles
	@scripts/lint.sh

.PHONY: clean
clean: ## Remove what was built (the API definitions stay)
	@find build -mindepth 1 -maxdepth 1 ! -name api-definitions -exec rm -rf {} +
