import { Overlay2Driver } from '../../drivers/graph/overlay2.ts';
import { describeGraphDriver } from '../contract/graph-driver.ts';

describeGraphDriver('overlay2', Overlay2Driver.open);
