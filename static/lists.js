/* Lists of the admin: a keyboard skips to their rows, and small screens show a row as a card. */

'use strict';

document.addEventListener('DOMContentLoaded', () => {
  const list = document.getElementById('result_list');
  if (list) label(list);
  if (matchMedia('(max-width: 767px)').matches) foldFilters();
});

function label(list) {
  const names = [...list.tHead.rows[0].cells].map((cell) => cell.querySelector('.text')?.textContent.trim());
  const rows = list.tBodies[0];
  rows.id = 'rows';
  rows.tabIndex = -1;
  for (const row of rows.rows) {
    [...row.cells].forEach((cell, place) => { cell.dataset.label = names[place] || ''; });
  }
}

/* But those by which the list is filtered. The first choice is "All". */
function foldFilters() {
  for (const filter of document.querySelectorAll('#changelist-filter details')) {
    filter.open = Boolean(filter.querySelector('li.selected:not(:first-child), input[value]:not([value=""]):not([type=hidden])'));
  }
}
