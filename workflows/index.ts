export { zonePricing } from './zone-pricing.ts';
