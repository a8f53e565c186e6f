import { VfsDriver } from '../../drivers/graph/vfs.ts';
import { describeGraphDriver } from '../contract/graph-driver.ts';

describeGraphDriver('vfs', VfsDriver.open);
