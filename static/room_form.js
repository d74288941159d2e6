/* A room's page in the admin: an access code that is made up. */

'use strict';

document.addEventListener('DOMContentLoaded', () => {
  const field = document.getElementById('id_new_code');
  if (field) offerCode(field);
});

function offerCode(field) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'small-button';
  button.textContent = 'Make one up';
  button.addEventListener('click', () => {
    field.value = eightDigits();
    field.select(); // ready to be copied, and read out by a screen reader
  });
  field.after(button);
}

function eightDigits() {
  const most = 4_200_000_000; // a multiple of 10 ** 8, so that each code is as likely as the others
  const [number] = crypto.getRandomValues(new Uint32Array(1));
  return number < most ? String(number % 10 ** 8).padStart(8, '0') : eightDigits();
}
