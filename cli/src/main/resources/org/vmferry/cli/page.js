'use strict';
// All that comes out of the snapshot is put there as text, never as HTML.
const data = JSON.parse(document.getElementById('data').textContent);
const kinds = data.kinds; // [letter, name], of which the first is zero
const $ = id => document.getElementById(id);

function make(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  for (; count >= 1024 && unit < units.length - 1; unit++) count /= 1024;
  return (Number.isInteger(count) ? count : count.toFixed(1)) + ' ' + units[unit];
}

const counted = (count, thing) => count + ' ' + thing + (count === 1 ? '' : 's');
const hex = number => '0x' + BigInt(number).toString(16);

// What the snapshot is.

document.title = data.title + ' - vmferry';
$('title').textContent = data.title;
for (const [name, value] of data.about) $('about').append(make('dt', '', name), make('dd', '', value));
if (data.problems.length) {
  $('problems').hidden = false;
  $('problems').textContent = data.problems.join('\n');
}

// RAM. A cell is {counts by kind, kind, page, head}.

function unpacked(block) {
  const cells = [];
  for (const each of block.cells) {
    if (typeof each === 'number') {
      for (let i = 0; i < each; i++) cells.push({counts: [], kind: 0});
      continue;
    }
    const [said, page, head] = each;
    const counts = [];
    for (const [, letter, count] of said.matchAll(/([^\d])(\d+)/g))
      counts[kinds.findIndex(kind => kind[0] === letter)] = Number(count);
    let kind = 0;
    counts.forEach((count, i) => { if (i > 0 && count > (counts[kind] || 0) || kind === 0) kind = i; });
    cells.push({counts, kind, page, head});
  }
  cells.forEach((cell, i) => {
    cell.pages = Math.min(block.per, block.pages - i * block.per);
    cell.counts[0] = cell.pages - cell.counts.reduce((sum, count, k) => k ? sum + count : sum, 0);
  });
  return cells;
}

function place(block, offset) {
  const said = [`byte ${hex(offset)} of ${block.id}`];
  for (const [address, from, length] of block.guest) {
    const into = BigInt(offset) - BigInt(from);
    if (into >= 0n && into < BigInt(length)) said.push(`guest address ${hex(BigInt(address) + into)}`);
  }
  if (block.file !== null) said.push(`byte ${block.file + offset} of the file`);
  return said.join(', ');
}

function dump(head) {
  const raw = atob(head);
  let lines = '';
  for (let at = 0; at < raw.length; at += 16) {
    const row = [...raw.slice(at, at + 16)];
    lines += at.toString(16).padStart(4, '0') + '  '
        + row.map(c => c.charCodeAt(0).toString(16).padStart(2, '0')).join(' ').padEnd(48) + ' '
        + row.map(c => c >= ' ' && c <= '~' ? c : '.').join('') + '\n';
  }
  return lines.trimEnd();
}

function tell(map, number) {
  const {block, cells} = map;
  const cell = cells[number];
  const first = number * block.per;
  const what = cell.counts.map((count, kind) => count ? `${count} ${kinds[kind][1]}` : '').filter(Boolean).join(', ');
  const from = first * data.pageSize;
  const range = `${hex(from)} to ${hex(from + cell.pages * data.pageSize - 1)}`;
  $('told').replaceChildren(
      make('div', '', make('strong', '', `${block.id}, ${range}`), `: ${counted(cell.pages, 'page')}: ${what}`));
  if (cell.kind === 0) {
    $('told').append(make('div', '', place(block, from)));
    return;
  }
  const page = first + cell.page;
  const named = cell.pages === 1 ? 'The page' : `The first page that is ${kinds[cell.kind][1]}, page ${page},`;
  $('told').append(
      make('div', '', `${named} is at ${place(block, page * data.pageSize)}, and begins with`),
      make('pre', '', dump(cell.head)));
}

const CELL = 15; // pixels, as in the style

// Rows of a power of two: their addresses are round then.
function columns(map) {
  const room = $('blocks').clientWidth - (window.innerWidth <= 640 ? 90 : 106);
  let columns = 4;
  while (columns < 64 && columns * 2 * CELL <= room) columns *= 2;
  return columns;
}

function draw(map) {
  const wide = columns(map);
  if (map.wide === wide) return;
  map.wide = wide;
  const rows = [];
  for (let at = 0; at < map.cells.length; at += wide) {
    const row = make('div', 'row', make('b', '', hex(at * map.block.per * data.pageSize)));
    row.setAttribute('role', 'row');
    row.firstChild.setAttribute('role', 'rowheader');
    map.cells.slice(at, at + wide).forEach((cell, i) => {
      const little = cell.kind !== 0 && cell.counts[cell.kind] * 2 < cell.pages;
      const letter = kinds[cell.kind][0];
      const drawn = make('i', 'k' + cell.kind + (little ? ' little' : ''), little ? letter.toLowerCase() : letter);
      drawn.setAttribute('role', 'gridcell');
      drawn.setAttribute('aria-label', kinds[cell.kind][1]);
      drawn.id = `${map.name}-${at + i}`;
      row.append(drawn);
    });
    rows.push(row);
  }
  map.element.replaceChildren(...rows);
  go(map, map.at);
}

function go(map, number) {
  $(`${map.name}-${map.at}`)?.classList.remove('at');
  map.at = Math.max(0, Math.min(map.cells.length - 1, number));
  const cell = $(`${map.name}-${map.at}`);
  if (document.activeElement === map.element) cell.classList.add('at');
  map.element.setAttribute('aria-activedescendant', cell.id);
  return cell;
}

function key(map, event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const last = map.cells.length - 1;
  const to = {
    ArrowLeft: map.at - 1, ArrowRight: map.at + 1, ArrowUp: map.at - map.wide, ArrowDown: map.at + map.wide,
    PageUp: map.at - 8 * map.wide, PageDown: map.at + 8 * map.wide, Home: 0, End: last, Enter: map.at, ' ': map.at,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  if (event.key === 'Enter' || event.key === ' ') tell(map, map.at);
  else if (to >= 0 && to <= last || Math.abs(to - map.at) > map.wide) go(map, to).scrollIntoView({block: 'nearest'});
}

function click(map, event) {
  const cell = event.target.closest('i');
  if (!cell) return;
  map.element.focus({preventScroll: true});
  const number = Number(cell.id.slice(map.name.length + 1));
  go(map, number);
  tell(map, number);
}

const maps = [];
const totals = kinds.map(() => 0);
data.blocks.forEach((block, number) => {
  const shown = make('div', 'block', make('h3', '', `${block.id}, ${bytes(block.bytes)}`));
  $('blocks').append(shown);
  for (const [address, offset, length] of block.guest) {
    shown.append(make('p', 'what', `The guest sees its byte ${offset} at ${address}, for ${length} bytes.`));
  }
  if (block.why) {
    shown.append(make('p', 'note', block.why));
    return;
  }
  const map = {block, cells: unpacked(block), name: 'block' + number, at: 0, element: make('div', 'map')};
  map.cells.forEach(cell => cell.counts.forEach((count, kind) => totals[kind] += count));
  shown.append(make('p', 'what', `${counted(block.pages, 'page')}, ${counted(block.per, 'page')} a cell`
      + ` (${bytes(block.per * data.pageSize)})`));
  if (!map.cells.length) return;
  map.element.tabIndex = 0;
  map.element.setAttribute('role', 'grid');
  map.element.setAttribute('aria-label', `Map of ${block.id}`);
  map.element.addEventListener('keydown', event => key(map, event));
  map.element.addEventListener('click', event => click(map, event));
  map.element.addEventListener('focus', () => go(map, map.at));
  map.element.addEventListener('blur', () => $(`${map.name}-${map.at}`).classList.remove('at'));
  shown.append(map.element);
  maps.push(map);
});
if (data.blocksLeft) {
  $('blocks').append(make('p', 'note', `${counted(data.blocksLeft, 'more block')}: too many to be drawn.`));
}
const all = totals.reduce((sum, count) => sum + count, 0);
kinds.forEach(([letter, name], kind) => {
  const percent = all ? totals[kind] * 100 / all : 0;
  const share = percent > 0 && percent < 0.1 ? 'under 0.1' : percent.toFixed(1);
  $('legend').append(make('li', '', make('i', 'k' + kind, letter),
      `${name}: ${bytes(totals[kind] * data.pageSize)}, ${share} %`));
});
maps.forEach(draw);
window.addEventListener('resize', () => maps.forEach(draw));

// Devices. A field is [name, type, offset, size, how to read it as a number, hex of its beginning, note, fields].

const MOST_FOUND = 500;

function value([, , , size, number, digits]) {
  if (!size) return 'nothing';
  if (number) {
    const value = BigInt('0x' + digits);
    return `0x${digits}  ${number < 0 ? BigInt.asIntN(size * 8, value) : value}`;
  }
  const raw = (digits.match(/../g) || []).map(pair => parseInt(pair, 16));
  const cut = raw.length < size;
  const zero = raw.every(byte => !byte);
  const end = raw.findIndex(byte => byte < 32 || byte > 126);
  const text = (end < 0 ? raw : raw.slice(0, end)).map(byte => String.fromCharCode(byte)).join('');
  const isText = text && !cut && (end < 0 || raw.slice(end).every(byte => !byte));
  if (zero && !cut && size > 16) return `${size} bytes, all zero`;
  return (size > 16 ? `${size} bytes: ` : '') + raw.map(byte => byte.toString(16).padStart(2, '0')).join(' ')
      + (cut ? ' ...' : '') + (isText ? `  '${text}'` : '');
}

function noted(note) {
  return note ? [make('span', 'note', ` (${note})`)] : [];
}

function field(each, found) {
  const [name, type, offset, size, , , note, inner] = each;
  const title = [make('strong', '', name || '-'), ' ', make('span', 'what', `${type} at ${offset}`)];
  if (!inner) {
    if (type === 'subsection' && !note) return make('div', 'field', ...title);
    return make('div', 'field', ...title, ' ', make('span', 'value', value(each)), ...noted(note));
  }
  return branch([...title, ' ', make('span', 'what', counted(size, 'byte')), ...noted(note)],
      () => inner.map(one => field(one)), found);
}

// Its fields are made when it is opened: a machine has some thousands.
function branch(title, fields, found) {
  const made = make('details', '', make('summary', '', ...title));
  let filled = false;
  const fill = () => {
    if (filled) return;
    filled = true;
    made.append(...(found || fields()));
  };
  if (found) {
    fill();
    made.open = true;
  }
  made.addEventListener('toggle', () => { if (made.open) fill(); });
  return made;
}

// The fields that have a word in them, in the fields that they are in.
function search(fields, word, room) {
  const found = [];
  for (const each of fields) {
    const [name, type, , , , , note, inner] = each;
    const says = [name, type, note, inner ? '' : value(each)].join(' ').toLowerCase().includes(word);
    const within = inner ? search(inner, word, room) : [];
    if (says) room.count++;
    if (!says && !within.length || says && !within.length && room.count > MOST_FOUND) continue;
    found.push(field(each, within.length ? within : undefined));
  }
  return found;
}

function show() {
  const word = $('search').value.trim().toLowerCase();
  const room = {count: 0};
  let devices = 0;
  const shown = [];
  for (const [name, instance, version, size, note, fields] of data.devices) {
    const says = `${name} ${note}`.toLowerCase().includes(word);
    const found = word ? search(fields, word, room) : [];
    if (word && !says && !found.length) continue;
    devices++;
    const title = [make('strong', '', name), ' ',
      make('span', 'what', `instance ${instance}, version ${version}, ${counted(size, 'byte')}`), ...noted(note)];
    shown.push(fields.length ? branch(title, () => fields.map(one => field(one)), found.length ? found : undefined)
        : make('div', '', ...title));
  }
  $('devices').replaceChildren(...shown);
  if (data.devicesLeft && !word) {
    $('devices').append(make('p', 'note', `${counted(data.devicesLeft, 'more device')}: left out, to keep this page small.`));
  }
  const more = room.count > MOST_FOUND ? `, of which ${MOST_FOUND} are shown` : '';
  $('found').textContent = word ? `${counted(room.count, 'field')}${more}, ${counted(devices, 'device')}`
      : counted(devices, 'device');
}

$('search').addEventListener('input', show);
show();
document.body.dataset.ready = 'yes';
