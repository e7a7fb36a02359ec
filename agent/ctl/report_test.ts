import { assertEquals } from "@contiv/assert";
import { parse } from "yaml";
import { FakeCluster } from "./_fake_cluster.ts";
import type { ClusterView } from "./cluster_view.ts";
import { renderReport, type Report } from "./report.ts";
import { reportIpam } from "./report_ipam.ts";
import { reportNodes } from "./report_nodes.ts";
import { reportPods } from "./report_pods.ts";
import { reportTopology } from "./report_topology.ts";

/** Blanks that align columns count as one. */
function table(report: Report, format: "table" | "wide" = "table"): string[] {
  return renderReport(report, format).trimEnd().split("\n").map((line) =>
    line.replace(/ {2,}/g, " | ")
  );
}

function view(): ClusterView {
  const cluster = new FakeCluster(2);
  cluster.agents.delete("node2");
  cluster.agent("node1", { unavailable: "VPP is away" });
  cluster.nodes.set("node3", { ...cluster.nodes.get("node1")!, name: "node3" });
  return cluster.view;
}

Deno.test("nodes are shown with their agents, also those that never joined", () => {
  assertEquals(table(reportNodes(view())), [
    "NAME | ID | AGENT | PODS | PREFIXES | UPLINK",
    "node1 | 1 | not ready | 1 | 10.1.1.0/24,fd10:1::100/120 | 192.168.16.1",
    "node2 | 2 | away | 1 | 10.1.2.0/24,fd10:1::200/120 | 192.168.16.2",
    "node3 | none | 0",
  ]);
});

Deno.test("pods are shown with their interfaces, of one namespace or of all", () => {
  assertEquals(table(reportPods(view(), undefined)), [
    "NAMESPACE | NAME | NODE | STATE | ADDRESSES | INTERFACE",
    "default | p1 | node1 | ready | 10.1.1.2,fd10:1::102 | tap 3",
    "default | p2 | node2 | ready | 10.1.2.2,fd10:1::202 | tap 3",
  ]);
  assertEquals(table(reportPods(view(), "other")).length, 1);
  assertEquals(table(reportPods(view(), undefined), "wide")[1]?.split(" | ").length, 11);
});

Deno.test("addresses are shown by subnet and node", () => {
  const lines = table(reportIpam(view()));
  assertEquals(lines.slice(0, 2), ["SUBNET | OF | A NODE'S SHARE", "10.1.0.0/16 | pods | /24"]);
  assertEquals(lines.slice(-5), [
    "NODE | PREFIX | GATEWAY | USED | FREE",
    "node1 | 10.1.1.0/24 | 10.1.1.1 | 1 | 251",
    "node1 | fd10:1::100/120 | fd10:1::101 | 1 | 251",
    "node2 | 10.1.2.0/24 | 10.1.2.1 | 1 | 251",
    "node2 | fd10:1::200/120 | fd10:1::201 | 1 | 251",
  ]);
});

Deno.test("topology tells the transport, and each node's ends and peers", () => {
  assertEquals(table(reportTopology(view())).slice(0, 2), [
    "TRANSPORT | UNDERLAY | VNI | PORT",
    "vxlan | ipv4 | 10 | 4789",
  ]);
  assertEquals(table(reportTopology(view())).slice(-2).map((line) => line.split(" | ").at(-1)), [
    "1 of 1",
    "? of 1",
  ]);
});

Deno.test("JSON and YAML have the same, and all of it", () => {
  for (const report of [reportNodes, reportIpam, reportTopology]) {
    const json: unknown = JSON.parse(renderReport(report(view()), "json"));
    assertEquals(parse(renderReport(report(view()), "yaml")), json);
  }
});
