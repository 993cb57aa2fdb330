// Runs before the first paint so that the chosen theme never flashes. A file of its own, because the
// Content-Security-Policy allows no inline script.
try {
  var saved = JSON.parse(localStorage.getItem('latchkey.preferences') || '{}');
  var theme = saved && saved.state && saved.state.theme;
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be blocked: then the system's theme stays.
}
