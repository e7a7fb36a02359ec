import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { Libc } from "@contiv/libc";
import { Logger } from "@contiv/log";
import { type SupervisorStatus, VppSupervisor } from "./vpp_supervisor.ts";

const libc = Libc.open();

/** What a shell script in VPP's place does. */
const LIVES = {
  stays: "exec sleep 60",
  crashes: `printf '\\033[91mreceived signal SIGSEGV, PC 0x7f01, faulting address 0x10\\033[39m\\n'
    kill -ABRT $$`,
  "is killed": "kill -KILL $$",
  "cannot start": "echo 'main heap allocation failure: Cannot allocate memory (12)'; exit 1",
  chatters: `i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done; exit 3`,
} as const;

interface Fixture {
  readonly directory: string;
  /** What the next VPP does. */
  readonly live: (life: keyof typeof LIVES) => void;
  readonly start: (options?: Partial<{ isServed: () => Promise<boolean> }>) => Supervised;
  readonly cleanUps: () => number;
}

interface Supervised {
  readonly supervisor: VppSupervisor;
  readonly until: (
    what: string,
    isSo: (status: SupervisorStatus) => boolean,
  ) => Promise<SupervisorStatus>;
  readonly stop: () => Promise<void>;
}

async function withFixture(body: (fixture: Fixture) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-supervisor-" });
  const binary = `${directory}/vpp`;
  const startupConfig = `${directory}/startup.conf`;
  let cleanUps = 0;
  const running: Supervised[] = [];
  try {
    Deno.writeTextFileSync(startupConfig, "unix { log /dev/null }\n");
    await body({
      directory,
      live: (life) => {
        // A new file: the old one may be busy.
        Deno.writeTextFileSync(`${binary}.new`, `#!/bin/sh\n${LIVES[life]}\n`, { mode: 0o755 });
        Deno.renameSync(`${binary}.new`, binary);
      },
      start: (options = {}) => {
        const supervisor = new VppSupervisor({
          libc,
          binary,
          startupConfig,
          directory,
          isServed: () => Promise.resolve(false),
          cleanUp: () => void cleanUps++,
          now: () => performance.timeOrigin + performance.now(),
          log: Logger.silent(),
          backoff: [20, 80],
          steadyMs: 1_000_000,
          lookMs: 5,
          ...options,
        });
        const run = supervisor.run();
        const supervised: Supervised = {
          supervisor,
          until: async (what, isSo) => {
            const deadline = performance.now() + 20_000;
            while (!isSo(supervisor.status)) {
              if (performance.now() > deadline) {
                throw new Error(`Waited in vain: ${what}; ${JSON.stringify(supervisor.status)}`);
              }
              await new Promise((resolve) => setTimeout(resolve, 5));
            }
            return supervisor.status;
          },
          stop: async () => {
            supervisor.close();
            await run;
          },
        };
        running.push(supervised);
        return supervised;
      },
      cleanUps: () => cleanUps,
    });
  } finally {
    for (const each of running) await each.stop();
    kill(directory);
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Ends the process that is on record, if there is one. */
function kill(directory: string): void {
  try {
    Deno.kill(JSON.parse(Deno.readTextFileSync(`${directory}/vpp.pid`)).pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
};

Deno.test("VPP is started with its configuration and in the foreground", async () => {
  await withFixture(async ({ cleanUps, directory, live, start }) => {
    live("stays");
    const { until } = start();
    const { pid, starts } = await until("it runs", ({ state }) => state === "running");
    assert(pid !== undefined && isAlive(pid));
    assertEquals([starts, cleanUps()], [1, 1]);
    const config = Deno.readTextFileSync(`${directory}/vpp-startup.conf`);
    assertMatch(config, /^unix \{ log \/dev\/null \}\n[^]*unix \{ nodaemon nosyslog \}\n$/);
  });
});

Deno.test("how it ended is said: a crash's signal and place, a complaint, a code", async (t) => {
  const cases: [keyof typeof LIVES, RegExp, number | null, string | null][] = [
    ["crashes", /^SIGSEGV at 0x7f01, address 0x10$/, 134, "SIGSEGV"],
    ["is killed", /^SIGKILL$/, 137, "SIGKILL"],
    ["cannot start", /^exit code 1: main heap allocation failure: Cannot/, 1, null],
  ];
  for (const [life, reason, code, signal] of cases) {
    await t.step(life, async () => {
      await withFixture(async ({ live, start }) => {
        live(life);
        const { until } = start();
        const { lastExit } = await until("it ended", ({ exits }) => exits > 0);
        assertMatch(lastExit?.reason ?? "", reason);
        assertEquals([lastExit?.code, lastExit?.signal], [code, signal]);
        assert((lastExit?.ranMs ?? -1) >= 0);
      });
    });
  }
});

Deno.test("it is started again, later each time up to a limit, until it stays", async () => {
  await withFixture(async ({ cleanUps, live, start }) => {
    live("cannot start");
    const { until } = start();
    const delays: number[] = [];
    for (let exits = 1; exits <= 4; exits++) {
      const status = await until(`end ${exits}`, (each) => {
        return each.state === "waiting" && each.exits === exits;
      });
      delays.push((status.nextStart ?? 0) - (status.lastExit?.at ?? 0));
    }
    // Of the clock's fractions, as the two times are read one after the other.
    assertEquals(delays.map((delay) => Math.round(delay / 20) * 20), [20, 40, 80, 80]);
    live("stays");
    const { exits, starts } = await until("it stays", ({ state, starts, exits }) => {
      return state === "running" && starts > exits;
    });
    assertEquals([starts, cleanUps()], [exits + 1, starts]);
  });
});

Deno.test("its last lines are kept, and no more than that", async () => {
  await withFixture(async ({ live, start }) => {
    live("chatters");
    const { until } = start();
    const { lastExit } = await until("it ended", ({ exits }) => exits > 0);
    assertEquals(lastExit?.lines.length, 100);
    assertEquals([lastExit?.lines.at(0), lastExit?.lines.at(-1)], ["line 2900", "line 2999"]);
  });
});

Deno.test("VPP outlives the agent, and the next agent adopts it and sees it end", async () => {
  await withFixture(async ({ live, start }) => {
    live("stays");
    const first = start();
    const { pid = 0 } = await first.until("it runs", ({ state }) => state === "running");
    await first.stop();
    assertEquals([first.supervisor.status.state, isAlive(pid)], ["stopped", true]);
    const second = start();
    const adopted = await second.until("it is adopted", ({ state }) => state === "adopted");
    assertEquals([adopted.pid, adopted.starts], [pid, 0]);
    Deno.kill(pid, "SIGKILL");
    const next = await second.until("another one runs", ({ state }) => state === "running");
    assert(next.pid !== pid);
    assertEquals([next.starts, next.exits, next.lastExit?.reason], [1, 1, "it went away"]);
  });
});

Deno.test("a record of a process that is gone, of another boot or cut off adopts nothing", async () => {
  await withFixture(async ({ directory, live, start }) => {
    live("stays");
    const records = [
      "{",
      JSON.stringify({ pid: Deno.pid, startedAt: 1, startTime: "1", bootId: "another" }),
      JSON.stringify({ pid: Deno.pid, startedAt: 1, startTime: "1" }),
    ];
    for (const record of records) {
      Deno.writeTextFileSync(`${directory}/vpp.pid`, record);
      const { stop, until } = start();
      const { pid } = await until("a new one runs", ({ state }) => state === "running");
      assert(pid !== Deno.pid);
      await stop();
      kill(directory);
    }
  });
});

Deno.test("a VPP that somebody else started is left alone until it has gone", async () => {
  await withFixture(async ({ live, start }) => {
    live("stays");
    let served = true;
    const { until } = start({ isServed: () => Promise.resolve(served) });
    const { starts } = await until("it is seen", ({ state }) => state === "foreign");
    assertEquals(starts, 0);
    served = false;
    await until("ours runs", ({ state }) => state === "running");
  });
});

Deno.test("a missing binary is an end with a reason, and is tried again", async () => {
  await withFixture(async ({ live, start }) => {
    const { until } = start();
    const { lastExit, starts } = await until("it is said", ({ exits }) => exits > 1);
    assertMatch(lastExit?.reason ?? "", /Cannot start VPP: .*\/vpp: .*a file wanted/);
    assertEquals(starts, 0);
    live("stays");
    await until("it runs", ({ state }) => state === "running");
  });
});
