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

	// --- the chart of a history, and of others beside it (?with=ID,ID) ---
	const plot = $("#plot");
	const MOST = 6;
	const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	// The digits of the tables.
	const percent = (v) => (v >= 0 ? "+" : "") + v.toFixed(Math.abs(v) < 1 ? 2 : Math.abs(v) < 100 ? 1 : 0) + " %";
	const listed = (name) => (state.get(name) || "").split(",").filter((v) => /^\d{1,18}$/.test(v)).slice(0, MOST - 1);
	const named = (s) => `${s.measure.name}, ${s.branch.name} on ${s.testbed.name}`;

	// One row a commit: those of the first history in their order, what only others have behind the
	// commit that they follow there.
	const merge = (docs) => {
		const rows = [], at = new Map();
		docs.forEach((doc, k) => {
			const fresh = [];
			let behind = k && !doc.points.some((p) => at.has(p.hash)) ? rows.length - 1 : -1;
			doc.points.forEach((p) => {
				if (p.value === null) return;
				let row = k && p.hash ? at.get(p.hash) : null;
				if (row) behind = rows.indexOf(row);
				else fresh.push([behind, row = { hash: p.hash, by: [] }]);
				row.by[k] = p;
				row.any = row.any || p;
			});
			fresh.reverse().forEach(([i, row]) => rows.splice(k ? i + 1 : 0, 0, row));
			rows.forEach((row) => { if (row.hash) at.set(row.hash, row); });
		});
		return rows;
	};
	const select = (text, name, options) => {
		const label = make("label", text + " "), e = make("select", "", { name });
		options.forEach(([v, t]) => e.append(make("option", t, { value: v })));
		e.value = options.some(([v]) => v === state.get(name)) ? state.get(name) : options[0][0];
		label.append(e);
		return [label, e];
	};
	const draw = (docs) => {
		const doc = docs[0], rows = merge(docs), n = rows.length;
		const units = doc.series.measure.units;
		if (n < 2 || !window.uPlot) return;
		const mixed = docs.some((d) => d.series.measure.units !== units);
		const place = make("div"), card = make("div", "", { class: "card", role: "status" });
		const bar = make("p", "", { class: "bar" }), legend = make("ul", "", { class: "legend" });
		const [axisLabel, axis] = select("Axis", "axis", [["", "fitted"], ["zero", "from 0"], ["log", "logarithmic"]]);
		const [showLabel, show] = select("Values", "values", mixed ? [["percent", "% of the first"]]
			: [["", "absolute"], ["percent", "% of the first"]]);
		const whole = make("button", "Whole history", { type: "button" });
		const said = make("span", "Drag to zoom. Click two points to compare them; arrow keys move, Enter chooses.", { role: "status" });
		bar.append(axisLabel, showLabel, whole, said);
		card.hidden = true;
		$("svg", plot).setAttribute("hidden", "");
		plot.prepend(bar, legend, place, card);
		docs.forEach((d, k) => {
			const item = make("li", "");
			item.append(make("span", "", { class: `swatch s${k}`, "aria-hidden": "true" }),
				make("span", `${named(d.series)} (${d.series.measure.units}, ${d.series.measure.better} is better)`));
			legend.append(item);
		});
		let chosen = null, u = null, seen = [-1, n];
		const relative = () => mixed || show.value === "percent";
		const logarithmic = () => axis.value === "log" && !relative();
		const first = docs.map((d, k) => { const r = rows.find((row) => row.by[k]); return r ? r.by[k].value : 1; });
		const map = (v, k) => v === null || v === undefined ? null : !relative() ? (logarithmic() && v <= 0 ? null : v)
			: first[k] ? 100 * (v / first[k] - 1) : null;
		const told = (v) => relative() ? percent(v) : value(v, units);
		const levels = () => {
			const line = rows.map(() => null);
			doc.segments.forEach((s) => doc.points.slice(s.start, s.end).forEach((p) => {
				const i = rows.findIndex((row) => row.by[0] === p);
				if (i >= 0 && s.median !== null) line[i] = map(s.median, 0);
			}));
			return line;
		};
		const marks = {
			hooks: {
				draw: [(p) => {
					const c = p.ctx, px = devicePixelRatio;
					const y = (v) => p.valToPos(map(v, 0), "y", true);
					c.save();
					c.beginPath();
					c.rect(p.bbox.left, p.bbox.top, p.bbox.width, p.bbox.height);
					c.clip();
					const { lower = null, upper = null } = doc.boundary || {};
					if (lower !== null || upper !== null) {
						const last = rows.reduce((at, row, i) => row.by[0] ? i : at, 0);
						const from = p.valToPos(last + 0.4, "x", true), to = p.valToPos(last + 1.4, "x", true);
						const top = map(upper, 0) === null ? p.bbox.top : y(upper);
						const bottom = map(lower, 0) === null ? p.bbox.top + p.bbox.height : y(lower);
						c.fillStyle = colour("--band");
						c.fillRect(from, top, to - from, bottom - top);
					}
					rows.forEach((row, i) => {
						const pt = row.by[0];
						if (!pt || map(pt.lower, 0) === null || map(pt.upper, 0) === null) return;
						c.strokeStyle = colour("--s0");
						c.lineWidth = 1.5 * px;
						c.beginPath();
						c.moveTo(p.valToPos(i, "x", true), y(pt.lower));
						c.lineTo(p.valToPos(i, "x", true), y(pt.upper));
						c.stroke();
					});
					const taken = []; // ends of the labels, a list a line of them
					doc.changes.forEach((change) => {
						const i = rows.findIndex((row) => row.by[0] && row.by[0].version === change.version);
						if (i < 0) return;
						const x = p.valToPos(i - 0.5, "x", true);
						if (x < p.bbox.left || x > p.bbox.left + p.bbox.width) return;
						c.strokeStyle = c.fillStyle = colour(change.outcome === "slower" ? "--slower" : "--faster");
						c.lineWidth = 2 * px;
						c.setLineDash([6 * px, 4 * px]);
						c.beginPath();
						c.moveTo(x, p.bbox.top);
						c.lineTo(x, p.bbox.top + p.bbox.height);
						c.stroke();
						c.setLineDash([]);
						c.textAlign = "left";
						c.font = `${13 * px}px system-ui, sans-serif`;
						const label = `${change.outcome === "slower" ? "▼" : "▲"} ${change.outcome} ${percent(100 * change.effect)}`;
						const wide = c.measureText(label).width;
						const from = x > p.bbox.left + 0.8 * p.bbox.width ? x - wide - 6 * px : x + 6 * px;
						let line = 0;
						while ((taken[line] || []).some(([a, b]) => from < b && a < from + wide)) line++;
						(taken[line] = taken[line] || []).push([from - 6 * px, from + wide + 6 * px]);
						c.fillText(label, from, p.bbox.top + (14 + 16 * line) * px);
					});
					c.restore();
				}],
				setCursor: [(p) => {
					const i = p.cursor.idx;
					card.hidden = i === null || i === undefined || p.cursor.left < 0;
					if (card.hidden) return;
					const row = rows[i], any = row.any;
					card.replaceChildren(make("strong", `${(row.hash || "").slice(0, 8)} ${any.subject || ""}`),
						make("div", `${any.author || ""} ${any.time.slice(0, 16).replace("T", " ")}`));
					docs.forEach((d, k) => {
						const pt = row.by[k];
						if (!pt) return;
						const own = d.series.measure.units;
						const range = pt.lower === null ? "" : ` [${value(pt.lower, own)}, ${value(pt.upper, own)}]`;
						const line = make("div", "");
						if (docs.length > 1) line.append(make("span", "", { class: `swatch s${k}`, "aria-hidden": "true" }));
						line.append(value(pt.value, own) + range + (relative() ? ` ${percent(map(pt.value, k))}` : ""));
						card.append(line, make("div", docs.length > 1 ? named(d.series)
							: `${pt.n_processes} ${pt.n_processes === 1 ? "process" : "processes"} ${pt.flags.join(" ")}`));
					});
					const left = p.over.offsetLeft + p.cursor.left;
					card.style.left = Math.min(left + 12, plot.clientWidth - card.offsetWidth) + "px";
					card.style.top = p.over.offsetTop + place.offsetTop + 20 + "px";
				}],
				setScale: [(p, name) => {
					if (name !== "x" || !u) return;
					const { min, max } = p.scales.x;
					whole.hidden = min <= 0 && max >= n - 1;
					keep("range", whole.hidden ? "" : `${min.toFixed(1)},${max.toFixed(1)}`);
				}],
			},
		};
		const pick = () => {
			const row = u.cursor.idx === null || u.cursor.idx === undefined ? null : rows[u.cursor.idx];
			const pt = row && row.by[0];
			if (!pt) return;
			if (!chosen || chosen === pt || !pt.hash) {
				chosen = pt;
				said.textContent = `${(pt.hash || "").slice(0, 8)} is chosen; choose another one to compare.`;
				return;
			}
			const [base, head] = chosen.version < pt.version ? [chosen, pt] : [pt, chosen];
			const query = new URLSearchParams({ base: base.hash, head: head.hash,
				branch: doc.series.branch.name, testbed: doc.series.testbed.name });
			location.href = plot.dataset.compare + "?" + query;
		};
		const spread = () => {
			const [min, max] = seen, all = [];
			rows.forEach((row, i) => docs.forEach((d, k) => {
				const pt = row.by[k];
				if (!pt || i < min || i > max) return;
				all.push(map(pt.value, k));
				if (!k) all.push(map(pt.lower, 0), map(pt.upper, 0));
			}));
			const limits = doc.boundary || {};
			if (max >= n - 1) all.push(map(limits.lower, 0), map(limits.upper, 0));
			const told = all.filter((v) => v !== null);
			if (!told.length) return [0, 1];
			const low = Math.min(...told), high = Math.max(...told);
			if (logarithmic()) return [low / 1.1, high * 1.1];
			const pad = Math.max(0.05 * (high - low), relative() ? 1 : 0.05 * Math.abs(high));
			return [axis.value === "zero" ? Math.min(0, low - pad) : low - pad,
				axis.value === "zero" ? Math.max(0, high + pad) : high + pad];
		};
		const build = () => {
			if (u) u.destroy();
			const look = { stroke: colour("--dim"), grid: { stroke: colour("--edge"), width: 1 },
				ticks: { stroke: colour("--edge"), width: 1 } };
			const line = (_, k) => ({ stroke: colour(`--s${k}`), width: k ? 1.5 : 0, spanGaps: true,
				dash: [[], [8, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 2]][k],
				points: { show: true, size: k ? 5 : 8, fill: colour(`--s${k}`) }, ...(k ? {} : { paths: () => null }) });
			const options = {
				width: plot.clientWidth, height: 340, plugins: [marks],
				legend: { show: false }, cursor: { y: false, drag: { x: true, y: false } },
				scales: { x: { time: false, range: (_, a, b) => seen =
					[a - 0.6, b + (b >= n - 1 && (doc.boundary?.upper ?? doc.boundary?.lower ?? null) !== null ? 1.6 : 0.6)] },
					y: { distr: logarithmic() ? 3 : 1, range: spread } },
				axes: [{ ...look, space: 66, values: (_, at) => at.map((i) => Number.isInteger(i) && rows[i] ? (rows[i].hash || "").slice(0, 7) : "") },
					{ ...look, size: 84, values: (_, at) => at.map((v) => v === null ? "" : told(v)) }],
				series: [{}, ...docs.map(line),
					{ stroke: colour("--dim"), width: 1, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) }],
			};
			u = null;
			const made = new uPlot(options, [rows.map((_, i) => i),
				...docs.map((d, k) => rows.map((row) => row.by[k] ? map(row.by[k].value, k) : null)), levels()], place);
			const range = (state.get("range") || "").split(",").map(Number);
			u = made;
			whole.hidden = true;
			if (range.length === 2 && range.every(Number.isFinite))
				u.setScale("x", { min: range[0] + 0.6, max: range[1] - 0.6 });
			u.over.addEventListener("click", pick);
			u.over.tabIndex = 0;
			u.over.setAttribute("role", "application");
			u.over.setAttribute("aria-label", `${n} commits; arrow keys tell each`);
		};
		build();
		place.addEventListener("keydown", (e) => {
			const step = { ArrowLeft: -1, ArrowRight: 1, Home: -n, End: n }[e.key];
			if (e.key === "Enter") pick();
			if (!step) return;
			e.preventDefault();
			const i = Math.max(0, Math.min(n - 1, (u.cursor.idx ?? (step > 0 ? -1 : n)) + step));
			u.setCursor({ left: u.valToPos(i, "x"), top: 0 });
		});
		whole.addEventListener("click", () => { u.setScale("x", { min: 0, max: n - 1 }); keep("range", ""); });
		[axis, show].forEach((e) => e.addEventListener("change", () => { keep(e.name, e.value); build(); }));
		addEventListener("resize", () => u.setSize({ width: plot.clientWidth, height: 340 }));
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
	};
	if (plot && plot.dataset.src) {
		const get = (url) => fetch(url, { headers: { Accept: "application/json" } })
			.then((r) => r.ok ? r.json() : Promise.reject(new Error(r.status)));
		const beside = listed("with").map((id) => get(plot.dataset.src.replace(/\d+$/, id)).catch(() => null));
		Promise.all([get(plot.dataset.src), ...beside])
			.then((docs) => draw(docs.filter(Boolean)), () => { /* the picture without scripts stays */ });
		all("tr[data-series]").forEach((row) => {
			const box = make("input", "", { type: "checkbox" }), cell = row.cells[0];
			box.setAttribute("aria-label", `in the chart: ${[...row.cells].slice(0, 3).map((c) => c.textContent.trim()).join(", ")}`);
			box.checked = listed("with").includes(row.dataset.series);
			cell.prepend(box, " ");
			box.addEventListener("change", () => {
				const now = listed("with").filter((id) => id !== row.dataset.series);
				if (box.checked) now.push(row.dataset.series);
				state.delete("range");
				if (now.length) state.set("with", now.slice(-(MOST - 1)).join(",")); else state.delete("with");
				location.search = state.toString();
			});
		});
	}

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
			const given = prompt(`Not permitted: ${(await r.clone().json()).message}. A token that may:`);
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
	const act = (cell, text, about, url, body, method) => {
		const button = make("button", text, { type: "button", "aria-label": `${text}: ${about}` });
		cell.append(button, " ");
		button.addEventListener("click", async () => {
			const r = await change(url, body, method);
			if (r.ok) location.reload();
			else cell.append(make("span", ` not done: ${(await r.json()).message}`, { role: "alert" }));
		});
	};
	all("[data-schedule]").forEach((cell) => {
		const url = cell.dataset.schedule, name = cell.parentElement.cells[0].textContent;
		const paused = cell.dataset.paused === "1";
		act(cell, "Run now", name, url + "/run", {}, "POST");
		act(cell, paused ? "Resume" : "Pause", name, url, { paused: !paused });
	});
	all("[data-redeliver]").forEach((cell) =>
		act(cell, "Again", [...cell.parentElement.cells].slice(0, 4).map((c) => c.textContent).join(" "), cell.dataset.redeliver, {}, "POST"));
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
