/** The parts that the till shares with the wallet. */
export { Act, Amount, Avatar, Choice, Empty, Field, Loading, Notice, Page, Pick, Row, Rows, Sheet, Tag, Waiting, copy, nameOf, useNow } from '../wallet/ui';
export { Confirmation } from '../wallet/parts/Confirmation';
export { pictureOf } from '../wallet/pages/MyCode';
