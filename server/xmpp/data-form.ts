import { Element } from 'ltx'
import { NS } from '#shared/ns.ts'

export interface FormField {
  readonly type: string | undefined
  readonly values: readonly string[]
  /** The values to choose from, where the form lists them. */
  readonly options: readonly string[]
}

/** Fields of a data form by name (XEP-0004). */
export function readForm(form: Element | undefined): Map<string, FormField> {
  const fields = new Map<string, FormField>()
  for (const field of form?.getChildren('field') ?? []) {
    const name = field.attrs.var
    if (name === undefined) continue
    const values = field.getChildren('value').map((value) => value.getText())
    const options = field.getChildren('option').flatMap((option) => option.getChild('value')?.getText() ?? [])
    fields.set(name, { type: field.attrs.type, values, options })
  }
  return fields
}

/** A submitted form; a text of several lines becomes several values. */
export function writeForm(formType: string, fields: Iterable<readonly [string, string]>): Element {
  const form = new Element('x', { xmlns: NS.DATA_FORMS, type: 'submit' })
  form.c('field', { var: 'FORM_TYPE', type: 'hidden' }).c('value').t(formType)
  for (const [name, text] of fields) {
    const field = form.c('field', { var: name })
    for (const value of text.split('\n')) field.c('value').t(value)
  }
  return form
}

/** The form of that type among the children of `element`. */
export function findForm(element: Element | undefined, formType?: string): Element | undefined {
  const forms = element?.getChildren('x', NS.DATA_FORMS) ?? []
  if (formType === undefined) return forms[0]
  return forms.find((form) => readForm(form).get('FORM_TYPE')?.values[0] === formType)
}
