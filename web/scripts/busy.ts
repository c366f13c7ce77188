/** A form that was sent says so on its button, and is not sent twice by a double click. */
export function keepBusy(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement
    if (form.dataset.sent !== undefined) {
      event.preventDefault()
      return
    }
    form.dataset.sent = ''
    const button = event.submitter as HTMLButtonElement | null
    if (button === null) return
    button.setAttribute('aria-disabled', 'true')
    if (button.classList.contains('primary') && form.dataset.busy !== undefined) {
      button.dataset.words = button.textContent ?? ''
      button.textContent = form.dataset.busy
    }
  })
  // The back button brings the page as it was left.
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return
    for (const form of document.querySelectorAll<HTMLFormElement>('form[data-sent]')) delete form.dataset.sent
    for (const button of document.querySelectorAll<HTMLButtonElement>('button[aria-disabled]')) {
      button.removeAttribute('aria-disabled')
      if (button.dataset.words !== undefined) button.textContent = button.dataset.words
    }
  })
}
