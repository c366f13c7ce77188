export { queueRoomRetraction } from '../rooms/queue-room.ts'
