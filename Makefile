# Two commands matter: `make demo` and `make test`.
SHELL := /bin/bash
export CGO_ENABLED ?= 0

RUN_NEEDS  := ffmpeg mosquitto
TEST_NEEDS := $(RUN_NEEDS) strace e2fsprogs gcc libc6-dev mosquitto-clients chromium chromium-driver fonts-dejavu-core \
	python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly libnl-route-3-200

.PHONY: demo test build cross pure lint fmt pages bad-input explore mutants attacks worst bench fuzz locks drivers lab clean

demo: build ## everything in one process, with a pretend home; prints one URL
	@scripts/need.sh $(RUN_NEEDS)
	@exec bin/eyebolt demo

build: ## bin/eyebolt
	@echo "Building bin/eyebolt …"
	@go build -trimpath -o bin/eyebolt ./cmd/eyebolt

test: ## everything that is checked: layout, linters, builds for other machines, all tests with the race detector
	@scripts/need.sh $(TEST_NEEDS)
	@scripts/lockpeers.sh --may-lack & peers=$$!; \
	  $(MAKE) --no-print-directory lint; rest=$$?; wait $$peers && exit $$rest
	@echo "the pages come first: they wait for a browser while others compute"
	CGO_ENABLED=1 go test -race -timeout 20m ./web/webfake $$(go list ./... | grep -vxE 'eyebolt/(cmd/.*|liveness|hub/walk|sim|lock/.*|web/webfake)')
	@echo "the drivers wait for their peers; what only computes gives way to them"
	@nice -n 19 $(MAKE) --no-print-directory cross pure > bin/pure.log 2>&1 & pure=$$!; \
	  $(MAKE) --no-print-directory drivers; drivers=$$?; wait $$pure; pure=$$?; cat bin/pure.log; exit $$((drivers | pure))
	@echo "whole houses, beside what gives way to them: a starved hub rightly opens nothing; and every fault that a machine makes of"
	@echo "the decision is caught, or argued"
	@nice -n 19 go test -timeout 30m -run ExploreGeneratedMutants ./interlock & mutants=$$!; \
	  CGO_ENABLED=1 go test -race -timeout 20m -skip ThroughThePages ./cmd/...; houses=$$?; wait $$mutants && exit $$houses
	go test -timeout 10m -run ThroughThePages ./cmd/...
	@if [ -e bin/peers/lacking ]; then cat bin/peers/lacking; fi

# The drivers wait for their peers nearly all of the time, so several run at once.
drivers: ## every lock driver, against its real peer where that is installed, and one table of what each keeps: property by driver
	@rm -rf bin/locks; mkdir -p bin/locks
	EYEBOLT_LOCK_TABLES=$(CURDIR)/bin/locks CGO_ENABLED=1 go test -race -count=1 -p 6 -timeout 20m ./lock/...
	@EYEBOLT_LOCK_TABLES=$(CURDIR)/bin/locks go test ./lock/locktest -count=1 -v -run TestTables

cross: ## it builds without cgo for every machine we promise
	@for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do \
	  echo "build $$target"; GOOS=$${target%/*} GOARCH=$${target#*/} go build -o /dev/null ./cmd/eyebolt || exit 1; done

# The race detector has nothing to watch in liveness, hub/walk and sim, which start no goroutine (the layout test holds them to that), and
# makes their statistics and their exploration slow. They are of one thread: the short ones on 32 bits run beside them.
pure: ## the pure rooms on linux/386, and all of liveness, of the walk test's rules and of the town without the race detector
	@echo "test linux/386: the pure rooms; and all of liveness, hub/walk and sim"
	@GOARCH=386 go test ./interlock ./liveness ./lock ./record -short & narrow=$$!; \
	  go test -timeout 20m ./liveness ./hub/walk ./sim; wide=$$?; wait $$narrow && exit $$wide

fuzz: ## every parser of outside bytes, each for TIME (1m): a table; new inputs that crash are kept in testdata
	@scripts/fuzz.sh $(or $(TIME),1m)

TOOL := go tool -modfile=tools/go.mod
lint: ## gofumpt, vet, staticcheck, errcheck, errorlint, ineffassign, misspell
	@out=$$($(TOOL) gofumpt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) errcheck -ignoretests -exclude tools/errcheck.txt ./...
	$(TOOL) ineffassign ./...
	$(TOOL) go-errorlint -errorf-multi ./...
	$(TOOL) misspell -error -i mosquitto $$(git ls-files '*.md' '*.go' '*.ts' '*.tsx')

fmt:
	$(TOOL) gofumpt -w $$(git ls-files '*.go')

pages: ## bundles web/src into web/dist (needs npm)
	cd web && npm ci --no-audit --no-fund && npx tsc --noEmit
	go run ./web/build

bad-input: ## what people read when something is wrong, and how many unlocks were on the wire: a table
	@scripts/need.sh $(RUN_NEEDS)
	@mkdir -p bin; echo "| what was wrong | who reads what | unlocks on the wire |"; echo "|---|---|---|"
	@set -o pipefail; go test ./cmd/eyebolt -count=1 -v -run 'BadInputOnTheHouse|EachRefusalNames' | tee bin/bad-input.log | sed -n 's/.*told: //p' || { cat bin/bad-input.log; exit 1; }

explore: ## the whole state space of the decision, and every mutant of it
	go test ./interlock -run Explore -v -count=1 -timeout 60m

mutants: ## faults that a person might make, in the shipped hub, interlock, grant and liveness: each is found by the town's judges; and a sample of small ones that are generated (forty minutes)
	EYEBOLT_SIM_MUTANTS=1 go test ./sim -run "HandMade|GeneratedFaults" -v -count=1 -timeout 60m

attacks: ## docs/ATTACKS.md, each attack as played in the town; with REAL=1 the real home plays them anew first (half an hour; as root, or T15 and T18 are refused)
	@if [ -n "$(REAL)" ]; then $(MAKE) --no-print-directory build && scripts/need.sh $(RUN_NEEDS) e2fsprogs && \
	  bin/eyebolt bench attacks sim/testdata/attacks/*.json --keep sim/testdata/attacks/real/result.json; fi
	go test ./sim -run '^TestAttacksPage$$' -count=1 -rewrite

worst: build ## docs/WORST.md: how long somebody can be inside, unwatched and untold, by a search of TIME (1h)
	@mkdir -p sim/testdata/worst bin && rm -f sim/testdata/worst/*
	bin/eyebolt sim --search $(or $(TIME),1h) --keep sim/testdata/worst >bin/worst.txt
	@printf 'Searched on %s for %s on %s cores: %s.\n' "$$(date +%F)" $(or $(TIME),1h) "$$(nproc)" "$$(tail -1 bin/worst.txt)" >sim/testdata/worst/search.txt
	go test ./sim -run '^TestWorstPage$$' -count=1 -rewrite

bench:
	go test ./interlock ./liveness ./ledger/... ./grant -run '^$$' -bench . -benchmem

locks: ## every lock driver against its real peer, none left out, and what Home Assistant shows of a door
	@scripts/need.sh $(RUN_NEEDS) mosquitto-clients
	@scripts/lockpeers.sh
	@EYEBOLT_PEERS=1 $(MAKE) --no-print-directory drivers
	@EYEBOLT_PEERS=1 go test ./hub/hass ./cmd/eyebolt -run '^TestHomeAssistant|^TestNothingIsClaimed|^TestPresses' -count=1 -timeout 10m

lab: ## attacks T1 and T2 on simulated radios in an isolated virtual machine (docs/LAB.md); not part of make test
	@lab/run.sh

clean:
	rm -rf bin
