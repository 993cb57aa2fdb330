import { addMessages } from './i18n';
import messages from './en.json?catalog=compose';

addMessages(messages);
