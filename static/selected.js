/* What is done with the rows that were chosen in a list: one row after the other, with progress.

   Without this the server does all of them in one request. */

'use strict';

document.addEventListener('DOMContentLoaded', () => {
  const form = document.getElementById('chosen');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    doEach(form);
  });
});

async function doEach(form) {
  const answer = new FormData(form);
  const rows = answer.getAll('_selected_action');
  const bar = form.querySelector('progress');
  const status = form.querySelector('[role=status]');
  form.querySelector('.submit-row').inert = true;
  form.querySelector('.going').hidden = false;
  bar.max = rows.length;
  for (const [place, row] of rows.entries()) {
    status.textContent = `${place} of ${rows.length} done`;
    bar.value = place;
    answer.set('_selected_action', row);
    answer.set('step', 'yes');
    const options = { method: 'POST', body: new URLSearchParams(answer), redirect: 'manual' };
    const response = await fetch(location.href, options).catch(() => null);
    // The list says, at the end, what became of each. Anything else is for the person to see.
    if (response?.status !== 204) {
      form.submit();
      return;
    }
    form.querySelector(`[name=_selected_action][value="${CSS.escape(row)}"]`).remove();
  }
  status.textContent = 'All done';
  bar.value = rows.length;
  location.assign(location.href);
}
