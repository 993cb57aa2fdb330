import { addMessages } from './i18n';
import messages from './en.json?catalog=calendar';

addMessages(messages);
