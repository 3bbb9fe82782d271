// The planner's arithmetic and words, as gnn_checkpointing/planning/arithmetic.py, __init__.py and report/plan_words.py
// have them: the same operations in the same order on the numbers of planner.json.
const MOST = 1e9, MOST_NODES = 1e12, MOST_EDGES = 1e15, GIB = 2 ** 30;
const ATTENTION = ["GAT", "GATv2"];
const REACH = 4, NEARBY = 2, OTHER_SIZES = 0.1, OTHER_FEATURES = 0.05, OTHER_WEIGHTS = 0.01, WEIGHT_BYTES = 16, SUM_BYTES = 8, RECOMPUTES = /^(layers|segments|selective|edge_blocks|offloaded|reversible)/;

// The layers of a segment that are recomputed together; other policies recompute layers one by one.
function longestSegment(policy, layers) {
  return Math.ceil(layers / Number(/^segments\((\d+)\)/.exec(policy)?.[1] ?? layers));
}

function grown(growth, sizes, width, segment = 1) {
  const { layers = 0, layer_channels = 0, layer_heads = 0, channels = 0, heads = 0, features = 0, rest = 0 } = growth;
  const { segment_channels = 0, segment_heads = 0 } = growth;
  return layers * sizes.num_layers
    + layer_channels * (sizes.num_layers * sizes.hidden_channels)
    + layer_heads * (sizes.num_layers * sizes.heads)
    + segment_channels * ((segment - 1) * sizes.hidden_channels)
    + segment_heads * ((segment - 1) * sizes.heads)
    + channels * width
    + heads * sizes.heads
    + features * sizes.num_features
    + rest;
}

// What a layer works on at a time: edges of a hidden layer's first block and of its second one, edges of the first
// layer's first two blocks, which are cut by its features, and the nodes that these end at.
function atOnce(known, nodes, edges, sizes) {
  const rule = known.blocks;
  if (rule === null) return { edges, second: 0, wide: [edges, 0], ends: [nodes, 0] };
  const all = edges + (known.self_loops ? nodes : 0);
  const block = (width) => {
    const row = 4 * Math.max(width, 1);
    const wanted = Math.max(rule.edges_per_node * nodes, Math.floor(rule.smallest_bytes / row));
    return Math.min(all, rule.edges || Math.max(Math.min(wanted, Math.floor(rule.largest_bytes / row)), 1));
  };
  const own = block(sizes.hidden_channels), first = block(sizes.num_features);
  const wide = [first, Math.min(first, all - first)], each = nodes / Math.max(all, 1);
  return { edges: own, second: Math.min(own, all - own), wide, ends: [each * wide[0], each * wide[1]] };
}

const COLUMNS = {
  constant: () => 1,
  nodes: (nodes) => nodes,
  edges: (nodes, edges) => edges,
  edges_at_once: (nodes, edges, portion, knee, later) => (later ? portion.second : portion.edges),
  nodes_with_blocks: (nodes, edges, portion, knee, later) => (later ? nodes : 0),
  edges_of_first_layer: (nodes, edges, portion) => portion.wide[0],
  nodes_of_first_layer: (nodes, edges, portion) => portion.ends[0],
  nodes_with_wide_blocks: (nodes, edges, portion) => (portion.wide[1] ? nodes : 0),
  edges_of_second_block: (nodes, edges, portion) => portion.wide[1],
  nodes_of_second_block: (nodes, edges, portion) => portion.ends[1],
  edges_squared: (nodes, edges) => edges * edges,
  edges_over_knee: (nodes, edges, portion, knee) => Math.max(edges - (knee || 0), 0),
  log_nodes: (nodes) => Math.log(Math.max(nodes, 1)),
  log_edges: (nodes, edges) => Math.log(Math.max(edges, 1)),
};

// While a layer computes its second block, the sums of the first one live beside it.
function valueOf(law, nodes, edges, portion, sizes, widest, segment = 1) {
  let growth = 1;
  if (law.link === "exponential" || law.pieces.some((piece) => "edges_squared" in piece)) {
    growth = Math.max(nodes / law.num_nodes[1], edges / law.num_edges[1], 1);
    nodes = Math.min(nodes, law.num_nodes[1]);
    edges = Math.min(edges, law.num_edges[1]);
  }
  let largest = -Infinity;
  for (const piece of law.pieces) {
    for (const later of portion.second ? [false, true] : [false]) {
      let total = 0;
      for (const [column, term] of Object.entries(piece)) {
        const width = column === "edges" || column === "edges_at_once" ? widest : sizes.hidden_channels;
        const factor = grown(term, sizes, width, segment);
        // A sum of bytes: in a model of one layer what is kept may fall short of what the law takes off it.
        total += (law.link === "exponential" ? factor : Math.max(factor, 0))
          * COLUMNS[column](nodes, edges, portion, law.knee, later);
      }
      largest = Math.max(largest, total);
    }
  }
  if (law.link === "exponential") largest = Math.exp(largest) * grown(law.factor, sizes, sizes.hidden_channels);
  return largest * growth;
}

function resident(known, nodes, edges, sizes) {
  const terms = known.resident;
  const channels = sizes.hidden_channels;
  const parameters = terms.parameters * (sizes.num_layers * (channels * channels))
    + (terms.first_layer ?? 0) * (channels * (sizes.num_features - channels));
  const perNode = terms.per_node + terms.per_feature * sizes.num_features;
  return parameters + perNode * nodes + terms.per_edge * edges;
}

// What attention dropout keeps of each share, in every layer that keeps its messages; kernels draw it again.
function dropoutBytes(known, nodes, edges, sizes) {
  const eager = /^(none|layers|segments|selective|edge_blocks|offloaded)/.exec(known.policy);
  if (!ATTENTION.includes(known.convolution) || !eager) return 0;
  const whole = ["none", "selective", "offloaded"].includes(eager[1]);
  const layers = whole ? sizes.num_layers : longestSegment(known.policy, sizes.num_layers);
  return 4 * layers * sizes.heads * atOnce(known, nodes, edges, sizes).edges;
}

function activationOf(known, nodes, edges, sizes, width) {
  const portion = atOnce(known, nodes, edges, sizes);
  const segment = longestSegment(known.policy, sizes.num_layers);
  const found = valueOf(known.activation, nodes, edges, portion, sizes, width, segment);
  return sizes.attention_dropout ? found + dropoutBytes(known, nodes, edges, sizes) : found;
}

// Sparser graphs than any measured reach up to the sparsest one, other sizes as far as such were seen to be off. A first
// layer that gathers features makes messages and sums as wide, without gradients.
function peakOf(known, nodes, edges, sizes) {
  const law = known.activation, sparsest = law.num_edges[0] / law.num_nodes[0] * nodes;
  const own = sizes.hidden_channels, wide = known.reads_features ? Math.max(own, sizes.num_features) : own;
  const before = resident(known, nodes, edges, sizes);
  if (known.counted && sizes.num_layers > 1) {
    const untested = known.blocks !== null && !sizes.of_measured_sizes ? OTHER_FEATURES : 0;
    const found = activationOf(known, nodes, edges, sizes, own), reach = Math.max(law.half_width, untested);
    const more = found * reach + (sizes.of_measured_sizes ? 0 : OTHER_WEIGHTS * before);
    return { estimate: found + before, low: found + before - more, high: found + before + more };
  }
  const activation = activationOf(known, nodes, edges, sizes, wide);
  const most = Math.max(activation, activationOf(known, nodes, Math.max(edges, sparsest), sizes, wide));
  let least = activation;
  if (known.reads_features && !sizes.of_measured_sizes) {
    least = sizes.num_layers > 1 ? activationOf(known, nodes, edges, sizes, own) : 0;
  }
  const leastReach = sizes.of_measured_sizes ? 0 : sizes.of_measured_model ? OTHER_FEATURES : OTHER_SIZES;
  const reach = Math.max(law.half_width, leastReach);
  const inputs = sizes.num_features + sizes.num_layers * own;
  const counted = sizes.of_measured_sizes && nodes >= law.num_nodes[0];
  const more = counted ? 0 : WEIGHT_BYTES * (own * inputs) + SUM_BYTES * (nodes * (wide - own));
  return {
    estimate: activation + before,
    low: least * (1 - reach) + before,
    high: most * (1 + reach) + before + more,
  };
}

function measuredFaster(known, nodes, edges, sizes) {
  return sizes.of_measured_model && !sizes.attention_dropout && (known.faster_at ?? []).some(([n, e]) => Math.max(n, nodes) <= NEARBY * Math.min(n, nodes)
    && Math.max(e, edges) <= NEARBY * Math.min(e, edges));
}

function fasterAtDensity(known, nodes, edges, sizes) {
  const asked = edges / nodes;
  return !sizes.attention_dropout && (known.faster_at ?? []).some(([n, e]) => Math.max(e / n, asked) <= NEARBY * Math.min(e / n, asked));
}

function around(middle, halfWidth) {
  return { estimate: middle, low: middle * (1 - halfWidth), high: middle * (1 + halfWidth) };
}

function inWords(found) {
  return { estimate: found.estimate, words: duration(found.estimate), span: spanOf(duration, found) };
}

function longest(laws, nodes, edges, sizes) {
  const found = laws.map((known) => {
    const law = known.seconds, portion = atOnce(known, nodes, edges, sizes);
    return around(valueOf(law, nodes, edges, portion, sizes, sizes.hidden_channels), law.half_width);
  });
  const most = (end) => Math.max(...found.map((one) => one[end]));
  return { estimate: most("estimate"), low: most("low"), high: most("high") };
}

// Far from what was measured a bound on the time is given, by which policies cannot be ranked.
function secondsOf(known, none, nodes, edges, sizes) {
  const law = known.seconds;
  if (law === null) return null;
  const bound = none?.seconds && RECOMPUTES.test(known.policy) && !measuredFaster(known, nodes, edges, sizes);
  const laws = bound ? [known, none] : [known];
  const [n, e] = [law.num_nodes, law.num_edges];
  if (nodes > REACH * n[1] || edges > REACH * e[1]) {
    const least = laws.map((one) => longest([one], Math.min(nodes, one.seconds.num_nodes[1]),
      Math.min(edges, one.seconds.num_edges[1]), sizes).low);
    return { words: "over " + duration(Math.max(...least)) };
  }
  if (nodes * REACH < n[0] || edges * REACH < e[0]) {
    const found = longest(laws, Math.max(nodes, n[0]), Math.max(edges, e[0]), sizes);
    return { words: "under " + duration(found.high) };
  }
  return inWords(longest(laws, nodes, edges, sizes));
}

function largest(fits, most) {
  if (fits(most)) return null;
  let low = 1, high = most;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle + 1; else high = middle;
  }
  return Math.max(low - 1, 0);
}

// What was measured on graphs of exactly these sizes with this model.
function measuredAt(known, nodes, edges, sizes) {
  if (!sizes.of_measured_sizes || sizes.attention_dropout) return undefined;
  return (known.measured_at ?? []).find(([n, e]) => n === nodes && e === edges);
}

function planOf(known, none, nodes, edges, memory, sizes) {
  const plain = !sizes.self_loops || known.self_loops;
  const cell = plain ? measuredAt(known, nodes, edges, sizes) : undefined;
  if (!plain) edges += nodes;
  const fits = (n, e) => peakOf(known, n, e, sizes).high <= memory;
  const peak = cell ? { estimate: cell[3], low: cell[2], high: cell[3] } : peakOf(known, nodes, edges, sizes);
  const degree = edges / nodes, clocked = cell && known.seconds !== null && cell[4] !== null;
  const most = largest((e) => fits(nodes, e), Math.min(nodes * (nodes - 1), MOST_EDGES));
  return {
    policy: known.policy,
    measured: cell !== undefined,
    peak,
    seconds: clocked ? inWords(around(cell[4], known.seconds.half_width)) : secondsOf(known, none, nodes, edges, sizes),
    faster: measuredFaster(known, nodes, edges, sizes),
    promising: fasterAtDensity(known, nodes, edges, sizes),
    verdict: peak.high <= memory ? "fits" : peak.low <= memory ? "may fit" : "does not fit",
    largestNodes: largest((n) => fits(n, degree * n), MOST_NODES),
    largestDegree: most === null ? null : most / nodes,
  };
}

function least(found, number) {
  return found.reduce((best, one) => (number(one) < number(best) ? one : best));
}

function isTimed(one) {
  return one.seconds !== null && "estimate" in one.seconds;
}

function recommended(found) {
  let fitting = found.filter((one) => one.verdict === "fits");
  if (fitting.some((one) => one.policy === "none")) {
    fitting = fitting.filter((one) => one.policy === "none" || one.faster);
  }
  const timed = fitting.filter(isTimed), plain = found.filter((one) => one.policy === "none" && isTimed(one));
  const promising = fitting.filter((one) => one.promising && !isTimed(one));
  if (promising.length && Math.min(...timed.map((one) => one.seconds.estimate)) >= (plain[0]?.seconds.estimate ?? 0)) {
    return least(promising, (one) => one.peak.estimate);
  }
  if (timed.length) return least(timed, (one) => one.seconds.estimate);
  return fitting.length ? least(fitting, (one) => one.peak.estimate) : null;
}

function spanOf(words, value) {
  const low = words(value.low), high = words(value.high);
  return words(value.estimate) + (low === high ? "" : " (" + interval(low, high) + ")");
}

function roundedDown(nodes) {
  const step = 10 ** Math.max(0, String(nodes).length - 3);
  return Math.floor(nodes / step) * step;
}

function cellsOf(one) {
  return [
    one.policy,
    spanOf(size, one.peak),
    one.seconds === null ? NOTHING : one.seconds.span ?? one.seconds.words,
    one.verdict,
    one.largestNodes === null ? "any" : one.largestNodes ? count(roundedDown(one.largestNodes)) + " nodes" : "none",
    one.largestDegree === null ? "any" : one.largestDegree ? plain(one.largestDegree) : "none",
  ];
}

const UNRANKED = "Too little was measured near this size to predict which is fastest: time a few steps of each.";

function fitToo(names) {
  return names.join(", ") + (names.length === 1 ? " fits" : " fit") + ", too. " + UNRANKED;
}

const DENSITY = "at about this density, on another graph or model.";

function fasterElsewhere(others) {
  const names = others.filter((one) => one.promising && !one.faster).map((one) => one.policy);
  return names.length ? " " + names.join(", ") + (names.length === 1 ? " was" : " were") + " faster " + DENSITY : "";
}

function nothingFits(found, memory) {
  const smallest = least(found, (one) => one.peak.estimate);
  const known = "No policy fits " + size(memory) + " for certain; the smallest peak is that of " + smallest.policy + ", "
    + spanOf(size, smallest.peak);
  return smallest.verdict === "may fit"
    ? known + ", which may fit: try it, or train on sampled neighbours or clusters."
    : known + ": train on sampled neighbours or clusters, or on a machine with more memory.";
}

function adviceOf(found, memory, edges) {
  const measured = found.filter((one) => one.measured).map((one) => one.policy), said = takenOf(found, memory, edges);
  if (!measured.length) return said;
  const which = measured.length === found.length ? "all numbers" : "the numbers of " + measured.join(", ");
  return said + " A graph of these sizes was measured: " + which + " are its own.";
}

function takenOf(found, memory, edges) {
  const taken = recommended(found);
  if (taken === null) return nothingFits(found, memory);
  const bytes = size(taken.peak.estimate) + " of " + size(memory);
  const rate = taken.seconds?.span && taken.seconds.estimate ? " (" + significant(edges / taken.seconds.estimate) + " edges a second)" : "";
  const time = taken.seconds === null ? "" : ", " + taken.seconds.words + " a step" + rate;
  const others = found.filter((one) => one.verdict === "fits" && one !== taken);
  if (taken.policy === "none") return "Nothing needs checkpointing: " + bytes + time + "." + fasterElsewhere(others);
  const names = others.map((one) => one.policy), unknown = others.filter((one) => !isTimed(one)).map((one) => one.policy);
  const take = "Take " + taken.policy + ": " + bytes + time + ".";
  if (names.includes("none")) return take + " It was measured to be faster than none on a graph of about this size.";
  if (isTimed(taken)) return take + (unknown.length ? " " + fitToo(unknown) : "");
  if (taken.promising) {
    const known = "Its time is not predicted here, but it was faster than none " + DENSITY;
    return "Take " + taken.policy + ": " + bytes + ". " + known + (unknown.length ? " " + fitToo(unknown) : "");
  }
  if (!names.length) return "Take " + taken.policy + ", the only policy that is certain to fit: " + bytes + time + ".";
  return "The smallest peak is that of " + taken.policy + ": " + bytes + ". " + fitToo(names);
}

const LEFT_OUT = {
  segments: "a segment has at least one layer",
  dropout: "PyTorch's compiler draws other masks of dropout",
  compiled: "what PyTorch's compiler keeps is known of the measured layers, channels and heads alone",
};

// Which reason there is to have no answer for a policy.
function leftOut(policy, sizes) {
  const segments = Number(/^segments\((\d+)\)/.exec(policy)?.[1] ?? 1);
  if (segments > sizes.num_layers) return "segments";
  if (!/^(compiled$|memory_budget)/.test(policy)) return null;
  if (sizes.attention_dropout) return "dropout";
  return sizes.of_measured_model ? null : "compiled";
}

// The whole answer to a question, or one sentence on what is wrong with it.
function answerTo(knowledge, question) {
  const whole = ["num_nodes", "num_edges", "num_layers", "hidden_channels", "heads", "num_features"];
  for (const name of whole) {
    const lowest = name === "num_edges" ? 0 : 1, highest = name === "num_edges" ? MOST_EDGES : MOST;
    if (!Number.isInteger(question[name]) || question[name] < lowest || question[name] > highest) {
      return { wrong: name.replace("_", " ") + ": allowed are whole numbers from " + lowest + " to " + count(highest) };
    }
  }
  if (!(question.memory_gib > 0 && question.memory_gib <= MOST)) {
    return { wrong: "memory: allowed are numbers above 0 and up to " + count(MOST) + ", in GiB" };
  }
  const attends = ATTENTION.includes(question.convolution);
  if (attends && question.hidden_channels % question.heads) return { wrong: "channels: allowed are multiples of the heads" };
  if (question.num_edges > question.num_nodes * (question.num_nodes - 1)) {
    return { wrong: "edges: so many nodes have at most " + count(question.num_nodes * (question.num_nodes - 1)) };
  }
  const memory = question.memory_gib * GIB, dropout = question.attention_dropout && attends;
  const model = ["num_layers", "hidden_channels", "heads"].every((name) => question[name] === knowledge.measured[name]);
  const features = question.num_features === knowledge.measured.num_features;
  const sizes = { ...question, attention_dropout: dropout, of_measured_model: model, of_measured_sizes: model && features };
  const every = knowledge.policies.filter((known) => known.convolution === question.convolution);
  const reason = (known) => leftOut(known.policy, sizes);
  const ours = every.filter((known) => reason(known) === null);
  const none = ours.find((known) => known.policy === "none");
  const found = ours
    .map((known) => planOf(known, none, question.num_nodes, question.num_edges, memory, sizes));
  return {
    advice: adviceOf(found, memory, question.num_edges),
    taken: recommended(found)?.policy,
    rows: found.map(cellsOf),
    warnings: knowledge.limits
      .filter((limit) => question[limit.size] < limit.low || question[limit.size] > limit.high)
      .map((limit) => limit.warning)
      .concat(extrapolated(ours, question.num_nodes, question.num_edges))
      .concat(ours.flatMap((known) => wholeNodes(known, question.num_nodes, question.num_edges, sizes)))
      .concat(Object.entries(LEFT_OUT).flatMap(([why, words]) => {
        const names = every.filter((known) => reason(known) === why).map((known) => known.policy);
        return names.length ? [names.join(", ") + ": left out, since " + words + "."] : [];
      }))
      .concat(dropout ? ["Attention dropout: its bytes are counted, its time was not measured."] : []),
  };
}

// Policies that were measured on smaller or larger graphs alone, where others were measured.
function extrapolated(ours, nodes, edges) {
  const inside = ({ activation: { num_nodes: n, num_edges: e } }) => n[0] <= nodes && nodes <= n[1] && e[0] <= edges && edges <= e[1];
  const names = ours.filter((known) => !inside(known)).map((known) => known.policy);
  if (!names.length || names.length === ours.length) return [];
  return [names.join(", ") + ": measured on graphs of other sizes alone, so bytes are extrapolated and their intervals untested."];
}

// A node whose edges are more than a block is made for has them in one block all the same.
function wholeNodes(known, nodes, edges, sizes) {
  const block = atOnce(known, nodes, edges, sizes).edges;
  if (known.blocks === null || block >= Math.min(edges, nodes - 1)) return [];
  const words = "a block has all edges that end at a node, so one at which more than ";
  return [known.policy + ": " + words + count(block) + " end takes more memory."];
}

function questionIn(form) {
  const question = { convolution: form.elements.convolution.value };
  for (const field of form.querySelectorAll("input")) {
    question[field.name] = field.type === "checkbox" ? field.checked : field.valueAsNumber;
  }
  return question;
}

function showAnswer(form, knowledge) {
  const answer = answerTo(knowledge, questionIn(form));
  const advice = form.parentElement.querySelector(".advice");
  const table = form.parentElement.querySelector(".table");
  const body = table.querySelector("tbody");
  advice.textContent = answer.wrong ?? answer.advice;
  advice.classList.toggle("wrong", "wrong" in answer);
  table.hidden = "wrong" in answer;
  body.replaceChildren(...(answer.rows ?? []).map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((text, place) => (place
      ? element("td", text, { className: place === 3 ? "text" : "number" })
      : element("th", text, { scope: "row" }))));
    row.classList.toggle("taken", cells[0] === answer.taken);
    return row;
  }));
  const warnings = form.parentElement.querySelector(".warnings");
  warnings.replaceChildren(...(answer.warnings ?? []).map((text) => element("li", text)));
}

function startPlanner() {
  const form = document.querySelector(".planner form");
  if (!form) return;
  const knowledge = JSON.parse(document.getElementById("planner-knowledge").textContent);
  form.parentElement.hidden = false;
  form.elements.graph?.addEventListener("change", (event) => {
    const graph = knowledge.graphs[Number(event.target.value)];
    if (graph) {
      form.elements.num_nodes.value = graph.num_nodes;
      form.elements.num_edges.value = graph.num_edges;
      form.elements.num_features.value = graph.num_features ?? knowledge.measured.num_features;
    }
  });
  const fields = [form.elements.convolution, ...form.querySelectorAll("input")];
  const linked = readView().state.get("plan")?.split(",") ?? [];
  // A link from before the form had its switches, which are last, leaves them off.
  if (linked.length <= fields.length) {
    linked.forEach((value, place) => {
      if (fields[place].type === "checkbox") fields[place].checked = value === "1"; else fields[place].value = value;
    });
  }
  form.addEventListener("input", () => {
    writeView("plan", fields.map((field) => (field.type === "checkbox" ? Number(field.checked) : field.value)).join(","));
    showAnswer(form, knowledge);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  showAnswer(form, knowledge);
}
