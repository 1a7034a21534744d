// SPDX-License-Identifier: GPL-3.0-or-later
// What scripts add to pages that are whole without them: a chart one can walk in, filter and sort,
// a queue that refreshes, buttons on alerts. All state is in the URL. Text is set as text only.
"use strict";
(() => {
	const $ = (selector, root = document) => root.querySelector(selector);
	const all = (selector, root = document) => [...root.querySelectorAll(selector)];
	const state = new URLSearchParams(location.search);
	const keep = (name, value) => {
		if (value) state.set(name, value); else state.delete(name);
		const text = state.toString();
		history.replaceState(null, "", location.pathname + (text ? "?" + text : ""));
	};
	const make = (tag, text, attributes = {}) => {
		const e = document.createElement(tag);
		if (text) e.textContent = text;
		for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
		return e;
	};

	// --- numbers for people, as the server writes them ---
	const steps = {
		"nanoseconds (ns)": [["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]],
		"bytes (B)": [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 1024], ["B", 1]],
	};
	const value = (v, units) => {
		if (v === null || v === undefined) return "";
		const short = (units.match(/\(([^)]*)\)$/) || [0, units])[1];
		const scale = (steps[units] || [["G" + short, 1e9], ["M" + short, 1e6], [short, 1]])
			.find(([, s]) => Math.abs(v) >= s) || [short, 1];
		return Number((v / scale[1]).toPrecision(4)) + " " + scale[0];
	};

	// --- tables: sort by a heading, filter by text ---
	const key = (row, i) => {
		const cell = row.cells[i];
		return cell.dataset.v !== undefined && cell.dataset.v !== "" ? Number(cell.dataset.v)
			: cell.classList.contains("n") ? -Infinity : cell.textContent.toLowerCase();
	};
	const sort = (table, i, descending) => {
		const body = table.tBodies[0];
		const rows = [...body.rows].sort((a, b) => {
			const x = key(a, i), y = key(b, i);
			return (x < y ? -1 : x > y ? 1 : 0) * (descending ? -1 : 1);
		});
		body.append(...rows);
		all("th", table).forEach((th, k) => th.setAttribute("aria-sort",
			k !== i ? "none" : descending ? "descending" : "ascending"));
	};
	all("table").forEach((table, t) => {
		const heads = all("thead th", table);
		if (table.tBodies[0].rows.length < 2) return;
		heads.forEach((th, i) => {
			if (th.className === "plain") return;
			const button = make("button", th.textContent, { type: "button" });
			th.textContent = "";
			th.append(button);
			th.setAttribute("aria-sort", "none");
			button.addEventListener("click", () => {
				const descending = th.getAttribute("aria-sort") === "ascending";
				sort(table, i, descending);
				keep("sort" + t, (descending ? "-" : "") + i);
			});
		});
		const wanted = state.get("sort" + t);
		if (wanted) sort(table, Math.abs(Number(wanted)) % heads.length || 0, wanted[0] === "-");
	});
	all("[data-filter]").forEach((place) => {
		const label = make("label", "Filter "), input = make("input", "", { type: "search", name: "filter" });
		const said = make("span", "", { role: "status" });
		label.append(input);
		place.className = "bar";
		place.append(label, said);
		const table = $("table", place.nextElementSibling);
		const rows = [...table.tBodies[0].rows];
		const apply = () => {
			const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
			let n = 0;
			rows.forEach((row) => {
				const text = row.textContent.toLowerCase();
				row.hidden = !words.every((w) => text.includes(w));
				n += !row.hidden;
			});
			said.textContent = words.length ? `${n} of ${rows.length}` : "";
			keep("filter", input.value);
		};
		input.value = state.get("filter") || "";
		input.addEventListener("input", apply);
		if (input.value) apply();
	});

	// --- the chart of a history ---
	const plot = $("#plot");
	const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	const draw = (doc) => {
		const points = doc.points.filter((p) => p.value !== null);
		const units = doc.series.measure.units;
		if (points.length < 2 || !window.uPlot) return;
		const place = make("div"), card = make("div", "", { class: "card", role: "status" });
		const bar = make("p", "", { class: "bar" });
		const zero = make("input", "", { type: "checkbox" }), label = make("label", "");
		const said = make("span", "Click a point, then another one, to compare the two.", { role: "status" });
		zero.checked = state.get("zero") === "1";
		label.append(zero, " axis from 0");
		bar.append(label, said);
		card.hidden = true;
		$("svg", plot).setAttribute("hidden", "");
		plot.prepend(bar, place, card);
		let chosen = null, u = null;
		const x = points.map((_, i) => i);
		const steps = (which) => {
			const line = points.map(() => null);
			doc.segments.forEach((s) => {
				for (let i = 0; i < points.length; i++) {
					const at = doc.points.indexOf(points[i]);
					if (at >= s.start && at < s.end && s.median !== null) line[i] = s.median;
				}
			});
			return line;
		};
		const marks = {
			hooks: {
				draw: [(p) => {
					const c = p.ctx;
					c.save();
					const low = doc.boundary && doc.boundary.lower, high = doc.boundary && doc.boundary.upper;
					if (typeof low === "number" || typeof high === "number") {
						const from = p.valToPos(points.length - 0.9, "x", true);
						const top = typeof high === "number" ? p.valToPos(high, "y", true) : p.bbox.top;
						const bottom = typeof low === "number" ? p.valToPos(low, "y", true) : p.bbox.top + p.bbox.height;
						c.fillStyle = colour("--band");
						c.fillRect(from, top, p.bbox.left + p.bbox.width - from, bottom - top);
					}
					points.forEach((pt, i) => {
						if (pt.lower === null || pt.upper === null) return;
						const px = p.valToPos(i, "x", true);
						c.strokeStyle = colour("--mark");
						c.lineWidth = 1.5 * devicePixelRatio;
						c.beginPath();
						c.moveTo(px, p.valToPos(pt.lower, "y", true));
						c.lineTo(px, p.valToPos(pt.upper, "y", true));
						c.stroke();
					});
					doc.changes.forEach((change) => {
						const i = points.findIndex((pt) => pt.version === change.version);
						if (i < 0) return;
						const px = p.valToPos(i - 0.5, "x", true);
						const name = change.outcome === "slower" ? "--slower" : "--faster";
						c.strokeStyle = c.fillStyle = colour(name);
						c.lineWidth = 2 * devicePixelRatio;
						c.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
						c.beginPath();
						c.moveTo(px, p.bbox.top);
						c.lineTo(px, p.bbox.top + p.bbox.height);
						c.stroke();
						c.setLineDash([]);
						c.textAlign = "left";
						c.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
						const percent = (change.effect >= 0 ? "+" : "") + (100 * change.effect).toFixed(1) + " %";
						c.fillText(`${change.outcome === "slower" ? "▼" : "▲"} ${change.outcome} ${percent}`,
							px + 6 * devicePixelRatio, p.bbox.top + 14 * devicePixelRatio);
					});
					c.restore();
				}],
				setCursor: [(p) => {
					const i = p.cursor.idx;
					card.hidden = i === null || i === undefined || p.cursor.left < 0;
					if (card.hidden) return;
					const pt = points[i];
					card.replaceChildren(
						make("strong", value(pt.value, units)),
						make("div", pt.lower === null ? "" : `[${value(pt.lower, units)}, ${value(pt.upper, units)}]`),
						make("div", `${(pt.hash || "").slice(0, 8)} ${pt.subject || ""}`),
						make("div", pt.author || ""),
						make("div", `${pt.n_processes} processes ${pt.flags.join(" ")}`));
					const left = p.over.offsetLeft + p.cursor.left;
					card.style.left = Math.min(left + 12, plot.clientWidth - card.offsetWidth) + "px";
					card.style.top = p.over.offsetTop + bar.offsetHeight + 20 + "px";
				}],
				setScale: [(p, name) => {
					if (name !== "x" || !u) return;
					const { min, max } = p.scales.x;
					const whole = min <= 0 && max >= points.length - 1;
					keep("range", whole ? "" : `${min.toFixed(1)},${max.toFixed(1)}`);
				}],
			},
		};
		const pick = () => {
			const i = u.cursor.idx;
			if (i === null || i === undefined) return;
			const pt = points[i];
			if (!chosen || chosen === pt || !pt.hash) {
				chosen = pt;
				said.textContent = `${(pt.hash || "").slice(0, 8)} is chosen; click another one to compare.`;
				return;
			}
			const [base, head] = chosen.version < pt.version ? [chosen, pt] : [pt, chosen];
			const query = new URLSearchParams({ base: base.hash, head: head.hash,
				branch: doc.series.branch.name, testbed: doc.series.testbed.name });
			location.href = plot.dataset.compare + "?" + query;
		};
		const build = () => {
			if (u) u.destroy();
			const axis = { stroke: colour("--dim"), grid: { stroke: colour("--edge"), width: 1 },
				ticks: { stroke: colour("--edge"), width: 1 } };
			const options = {
				width: plot.clientWidth, height: 340, plugins: [marks],
				legend: { show: false }, cursor: { y: false, drag: { x: true, y: false } },
				scales: { x: { time: false, range: (_, a, b) => [a - 0.6, b + (doc.boundary && (doc.boundary.upper ?? doc.boundary.lower ?? null) !== null ? 1.6 : 0.6)] },
					y: { range: (_, a, b) => {
						const limits = doc.boundary || {};
						const low = Math.min(a, limits.lower ?? a, ...points.map((p) => p.lower ?? a));
						const high = Math.max(b, limits.upper ?? b, ...points.map((p) => p.upper ?? b));
						const pad = Math.max(0.05 * (high - low), 0.05 * Math.abs(high));
						return [zero.checked ? 0 : low - pad, high + pad];
					} } },
				axes: [{ ...axis, values: (_, at) => at.map((i) => Number.isInteger(i) && points[i] ? (points[i].hash || "").slice(0, 7) : "") },
					{ ...axis, size: 84, values: (_, at) => at.map((v) => value(v, units)) }],
				series: [{}, { paths: () => null, stroke: colour("--mark"), points: { show: true, size: 8, fill: colour("--mark") } },
					{ stroke: colour("--dim"), width: 1, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) }],
			};
			u = null;
			const made = new uPlot(options, [x, points.map((p) => p.value), steps()], place);
			const range = (state.get("range") || "").split(",").map(Number);
			u = made;
			if (range.length === 2 && range.every(Number.isFinite))
				u.setScale("x", { min: range[0] + 0.6, max: range[1] - 0.6 });
			u.over.addEventListener("click", pick);
		};
		build();
		zero.addEventListener("change", () => { keep("zero", zero.checked ? "1" : ""); build(); });
		addEventListener("resize", () => u.setSize({ width: plot.clientWidth, height: 340 }));
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
	};
	if (plot && plot.dataset.src)
		fetch(plot.dataset.src, { headers: { Accept: "application/json" } })
			.then((r) => r.ok ? r.json() : Promise.reject(new Error(r.status)))
			.then(draw, () => { /* the picture without scripts stays */ });

	// --- the queue, a job: the server says when something moved, then #live is fetched anew ---
	const live = $("#live");
	let shown = () => {};
	if (live && live.dataset.events) {
		let busy = false, missed = false;
		const refresh = async () => {
			missed = true;
			if (busy || document.hidden || live.contains(document.activeElement)) return;
			busy = true;
			missed = false;
			const r = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
			if (r && r.ok) {
				const page = new DOMParser().parseFromString(await r.text(), "text/html");
				live.replaceChildren(...$("#live", page).childNodes);
				shown();
				if (!$("#live", page).dataset.events) source.close();
			}
			await new Promise((done) => setTimeout(done, 500)); // at most two a second
			busy = false;
			if (missed) refresh();
		};
		const source = new EventSource(live.dataset.events);
		["queue", "state", "phase", "progress", "open"].forEach((name) => source.addEventListener(name, refresh));
		source.addEventListener("message", refresh);
		const catchUp = () => { if (missed) setTimeout(refresh); };
		document.addEventListener("visibilitychange", catchUp);
		live.addEventListener("focusout", catchUp);
	}

	// --- alerts ---
	const token = () => sessionStorage.getItem("benchd-token");
	const change = async (url, body, method = "PATCH") => {
		const headers = { "Content-Type": "application/json" };
		if (token()) headers.Authorization = "Bearer " + token();
		const r = await fetch(url, { method, headers, body: JSON.stringify(body) });
		if (r.status === 401 || r.status === 403) {
			const given = prompt(method === "PATCH" ? "A token with scope triage:" : "A token with scope submit:");
			if (given) {
				sessionStorage.setItem("benchd-token", given);
				return change(url, body, method);
			}
		}
		return r;
	};
	const cancels = () => all("[data-cancel]").forEach((place) => {
		const button = make("button", "Cancel", { type: "button" });
		place.append(button);
		button.addEventListener("click", async () => {
			if (!confirm("Cancel this job?")) return;
			const r = await change(place.dataset.cancel, {}, "POST");
			button.blur();
			if (!r.ok) place.append(make("span", ` not done: ${(await r.json()).message}`, { role: "alert" }));
		});
	});
	shown = cancels;
	cancels();
	all("[data-actions]").forEach((cell) => {
		if (!["suspect", "confirmed"].includes(cell.dataset.actions)) return;
		const row = cell.closest("tr"), name = row.cells[1].textContent;
		const button = make("button", "Dismiss", { type: "button", "aria-label": `Dismiss the alert of ${name}` });
		cell.append(button);
		button.addEventListener("click", async () => {
			const reason = prompt("Why? (noise, expected, infrastructure, ...)", "expected");
			if (!reason) return;
			const r = await change(row.dataset.alert, { state: "dismissed", reason });
			if (r.ok) location.reload();
			else cell.append(make("span", ` not done: ${(await r.json()).message}`, { role: "alert" }));
		});
	});
})();
