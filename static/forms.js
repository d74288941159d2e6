/* Forms of the admin are sent once, though their button is clicked twice; and links are copied. */

'use strict';

document.addEventListener('submit', (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || form.getAttribute('method') !== 'post') return;
  if (form.dataset.sent) event.preventDefault();
  // A download leaves the page as it is.
  else if (!submitter?.hasAttribute('data-download')) form.dataset.sent = 'yes';
});

// The browser may show a page again as it was left.
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

document.addEventListener('click', (event) => {
  const button = event.target.closest?.('button[data-copy]');
  if (button) copy(button.dataset.copy, button.nextElementSibling);
});

async function copy(text, status) {
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = 'Copied.';
  } catch { // without HTTPS a browser has no clipboard
    status.textContent = 'Your browser does not allow it: copy it by hand.';
  }
}
