import { addMessages } from './i18n';
import messages from './en.json?catalog=main';

addMessages(messages);
