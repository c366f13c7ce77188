import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import { AppError } from '../errors.ts'
import { type ApiAddress, callApi } from './api.ts'

/** The accounts of the local server. Each rejects with a sentence for the operator. */
export interface LocalAccounts {
  register(jid: BareJid, password: string): Promise<'registered' | 'exists'>
  changePassword(jid: BareJid, password: string): Promise<void>
  unregister(jid: BareJid): Promise<void>
  listUsers(): Promise<BareJid[]>
}

export function createLocalAccounts(api: ApiAddress, domain: BareJid): LocalAccounts {
  const listUsers = async () => {
    const names = await callApi(api, 'registered_users', { host: domain })
    const jids = Array.isArray(names) ? names.map((name) => readBareJid(`${name}@${domain}`)) : []
    return jids.filter((jid) => jid !== undefined).sort()
  }
  const mustExist = async (jid: BareJid) => {
    if (!(await listUsers()).includes(jid)) throw new AppError('not-found', `There is no account ${jid} here`)
  }
  return {
    listUsers,
    async register(jid, password) {
      try {
        await callApi(api, 'register', { ...userOf(jid, domain), password })
        return 'registered'
      } catch (error) {
        if (error instanceof AppError && error.code === 'conflict') return 'exists'
        throw error
      }
    },
    async changePassword(jid, password) {
      await mustExist(jid)
      await callApi(api, 'change_password', { ...userOf(jid, domain), newpass: password })
    },
    async unregister(jid) {
      await mustExist(jid)
      await callApi(api, 'unregister', userOf(jid, domain))
    },
  }
}

function userOf(jid: BareJid, domain: BareJid): { user: string; host: string } {
  const user = localPart(jid)
  if (user === undefined || domainOf(jid) !== domain) {
    throw new AppError('bad-request', `${jid} is not an account of the local server: use NAME@${domain}`)
  }
  return { user, host: domain }
}
